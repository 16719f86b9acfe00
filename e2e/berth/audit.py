"""The audit log of a server."""

import json


def events(berth, **wanted):
    """The events whose top-level fields are as `wanted`; the log is written before a call is answered or soon after."""
    for _ in range(2000):
        lines = [line for file in sorted((berth.data / "audit").iterdir()) for line in file.read_text().splitlines(True)]
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        found = [event for event in whole if all(event.get(k) == v for k, v in wanted.items())]
        if found:
            return found
    raise AssertionError(f"no event with {wanted} among {[e['eventName'] for e in whole]}")
