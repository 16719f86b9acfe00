"""Waiting for what a server does in its own time."""

import time

_PAUSE_S = 0.1


def until(condition, what="it did not come true", within_s=120):
    """Asks until it holds. The bound only ends a story that fails, which says `what`."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(_PAUSE_S)
