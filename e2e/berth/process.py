"""What a running server takes of the machine, as the kernel counts it."""

import contextlib
import os


def memory_peak(server):
    """The most memory that the server had resident, in bytes, without the pages of its program's file: the kernel takes those
    back when it likes, and a debug build has 60 MB of them."""
    with open(f"/proc/{server.pid}/status") as status:
        sizes = dict(line.split(":", 1) for line in status)
    return (int(sizes["VmHWM"].split()[0]) - int(sizes["RssFile"].split()[0])) << 10


def transfers_open(server):
    """How many sockets and files of layers the server has open. Its database opens more files when many ask."""
    folder = f"/proc/{server.pid}/fd"
    open_now = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            open_now.append(os.readlink(f"{folder}/{name}"))
    return sum(name.startswith(("socket:", f"{server.data}/blobs/")) for name in open_now)
