"""Faults that begin and end while a server runs: of its disk, by the file system or by system calls that fail (strace), and of the
files that it may have open. Nothing of them is in the product.
"""

import contextlib
import dataclasses
import itertools
import os
import pathlib
import resource
import signal
import subprocess
import time

_ATTACH_S_MAX = 20

SYNCS = ("fsync", "fdatasync")
WRITES = ("pwrite64", "pwritev", "ftruncate", "fallocate")
NAMES = ("rename", "unlink", "mkdir")
OPENS = ("openat",)
READS = ("pread64", "preadv", "sendfile")


def failing(pid, calls, error, when="1+"):
    """System calls of a process fail with an error, as strace counts them (`when`: its option of `inject`)."""
    return _tampered(pid, calls, f"error={error}:when={when}")


def slow(pid, calls, ms, path=None):
    """System calls of a process, or those that use a file, begin so many milliseconds late."""
    options = [f"--trace-path={path}"] if path else []
    return _tampered(pid, calls, f"delay_enter={ms * 1000}", *options)


@contextlib.contextmanager
def _tampered(pid, calls, how, *options):
    # A name that the kernel of this machine does not have is left out.
    wanted = ",".join(f"?{call}" for call in calls)
    command = ["strace", "--quiet=all", "--follow-forks", "--output=/dev/null", f"--attach={pid}", f"--trace={wanted}",
               f"--inject={wanted}:{how}", *options]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + _ATTACH_S_MAX
        while not _is_traced(pid, tracer.pid):
            assert tracer.poll() is None, f"strace ended: {tracer.stderr.read()}"
            assert time.monotonic() < deadline, "strace does not attach to the server"
            time.sleep(0.01)
        yield
    finally:
        # It lets go of the process.
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()


def _is_traced(pid, by):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if f"\nTracerPid:\t{by}\n" not in (task / "status").read_text():
                return False
        except (FileNotFoundError, ProcessLookupError):
            continue
    return True


@contextlib.contextmanager
def full(folder):
    """The disk of the folder has no free block."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 512):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def unchangeable(folder):
    """No file of the folder, however deep, can be made, renamed or removed."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    subprocess.run(["chattr", "+i", *folders], check=True)
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *folders], check=True)


@contextlib.contextmanager
def few_files(pid, more):
    """The process may open so many files more."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    # A new file gets the lowest number that is free, and that must be below the limit.
    free = itertools.islice((number for number in itertools.count() if number not in taken), more)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(free) + 1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@dataclasses.dataclass
class Fault:
    """One kind of fault."""

    #: `of(server, folder, chance)`: in effect within this.
    of: object
    #: Whether everything that is stored can be read meanwhile.
    reads: bool = True
    #: Whether a request may find nobody who answers.
    silent: bool = False


def _calls(calls, error, reads=True, often=True):
    def begin(server, _, chance):
        # All of them, or some: then a write fails at one of its later steps.
        when = chance.choice(["1+", f"{chance.randint(1, 4)}+{chance.randint(2, 5)}"]) if often else "1+"
        return failing(server.pid, calls, error, when)
    return Fault(begin, reads)


FAULTS = {
    "full": Fault(lambda server, folder, chance: full(folder)),
    "unchangeable": Fault(lambda server, folder, chance: unchangeable(folder)),
    "read-only": _calls(WRITES + NAMES, "EROFS", often=False),
    "sync-eio": _calls(SYNCS, "EIO"),
    "write-eio": _calls(WRITES, "EIO"),
    "write-enospc": _calls(WRITES, "ENOSPC"),
    "name-eio": _calls(NAMES, "EIO"),
    "open-eio": _calls(OPENS, "EIO", reads=False),
    "open-emfile": _calls(OPENS, "EMFILE", reads=False),
    "read-eio": _calls(READS, "EIO", reads=False),
    "few-files": Fault(lambda server, folder, chance: few_files(server.pid, chance.randint(1, 3)), reads=False, silent=True),
}
