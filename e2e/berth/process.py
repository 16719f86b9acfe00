"""What a running server takes of the machine, as the kernel counts it."""

import os


def memory_peak(server):
    """The most memory that the server had resident, in bytes, without the pages of its program's file: the kernel takes those
    back when it likes, and a debug build has 60 MB of them."""
    with open(f"/proc/{server.pid}/status") as status:
        sizes = dict(line.split(":", 1) for line in status)
    return (int(sizes["VmHWM"].split()[0]) - int(sizes["RssFile"].split()[0])) << 10


def files_open(server):
    """How many descriptors the server has open."""
    return len(os.listdir(f"/proc/{server.pid}/fd"))
