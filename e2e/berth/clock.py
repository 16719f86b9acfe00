"""Another time for unmodified programs: Debian's libfaketime, which stands before the C library's clock.

Programs that ask the kernel without the C library (Go's) do not notice it.
"""

import pathlib


class Clock:
    """A clock that is off by some time, the same for every program that is run with its `environment`."""

    def __init__(self, directory):
        library, = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self.file = pathlib.Path(directory) / "faketime"
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.file),
            # The file is read at each look at the clock. Timers run as they do.
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }
        self.off()

    def off(self, minutes=0):
        """Sets how far ahead the clock is. The file is replaced as a whole: a program may be reading it."""
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{minutes * 60:+d}\n")
        draft.rename(self.file)
