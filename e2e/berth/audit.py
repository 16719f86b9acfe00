"""The audit log of a server."""

import json
import time

#: Service events wait in the database until a job moves them. The bound only ends a test that fails.
_WITHIN_S = 60


def events(berth, **wanted):
    """The events whose top-level fields are as `wanted`; the log is written before a call is answered or soon after."""
    end = time.monotonic() + _WITHIN_S
    while True:
        lines = [line for file in sorted((berth.data / "audit").iterdir()) for line in file.read_text().splitlines(True)]
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        found = [event for event in whole if all(event.get(k) == v for k, v in wanted.items())]
        if found:
            return found
        assert time.monotonic() < end, f"no event with {wanted} among {[e['eventName'] for e in whole]}"
        time.sleep(0.02)
