"""Another time for unmodified programs: Debian's libfaketime, which stands before the C library's clock.

Programs that ask the kernel without the C library (Go's) do not notice it.
"""

import pathlib


def library():
    found, = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return found


class Clock:
    """A clock that is off by some time, the same for every program that is run with its `environment`."""

    def __init__(self, directory):
        self.file = pathlib.Path(directory) / "faketime"
        self.environment = {
            "LD_PRELOAD": str(library()), "FAKETIME_TIMESTAMP_FILE": str(self.file),
            # The file is read at each look at the clock. Timers run as they do.
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }
        self.off()

    def off(self, minutes=0):
        """Sets how far ahead the clock is. The file is replaced as a whole: a program may be reading it."""
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{minutes * 60:+d}\n")
        draft.rename(self.file)


class FastClock:
    """A clock that runs at another speed from some moment on, with all timers: minutes that a program waits take seconds."""

    def __init__(self, directory, times=1):
        self.file = pathlib.Path(directory) / "faketime"
        # The file is read once a second.
        self.environment = {"LD_PRELOAD": str(library()), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_CACHE_DURATION": "1"}
        self.run(times)

    def run(self, times):
        """What has passed since the program's start counts as often as well: the clock may jump, but never back."""
        draft = self.file.with_suffix(".new")
        draft.write_text(f"+0 x{times}\n")
        draft.rename(self.file)
