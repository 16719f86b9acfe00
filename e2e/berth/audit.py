"""The audit log of a server."""

import json
import time

#: Service events wait in the database until a job moves them. The bound only ends a test that fails.
_WITHIN_S = 60


def events(berth, at_least=1, where=lambda event: True, **wanted):
    """The events whose top-level fields are as `wanted` and for which `where` is true, once there are `at_least` so many.

    The event of a call is written before its answer; those of the service itself come soon after, since a job moves them."""
    end = time.monotonic() + _WITHIN_S
    while True:
        lines = [line for file in sorted((berth.data / "audit").iterdir()) for line in file.read_text().splitlines(True)]
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        found = [event for event in whole if all(event.get(k) == v for k, v in wanted.items()) and where(event)]
        if len(found) >= at_least:
            return found
        assert time.monotonic() < end, \
            f"{len(found)} of {at_least} events with {wanted} among {[e['eventName'] for e in whole]}"
        time.sleep(0.02)
