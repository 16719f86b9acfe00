"""Clients that are slow, and clients that stall: a transfer may take as long as it likes while it goes on, and one that does not
go on is cut. Two thousand connections, half of them stalled, stop nobody.

The server's clock runs faster here, so that the minutes that it waits for a client are seconds.
"""

import asyncio
import contextlib
import hashlib
import socket
import threading
import time

import pytest

from berth import images
from berth.clock import FastClock
from berth.process import memory_peak, transfers_open
from berth.raw import with_query
from berth.server import Server
from berth.waiting import until

pytestmark = pytest.mark.usefixtures("many_files")

#: docs/reference/limits.md: silence within a blob on its way in, and a client that does not read.
SILENCE_S, UNREAD_S = 60, 120
TIMES = 12
PAUSE_S = 0.4
MEMORY_BYTES_MAX = 100 << 20
STALLED, OTHERS = 1_000, 1_000
#: Of the others, those that push; and what each one does, one after the other.
PUSHERS, TURNS = 50, 3
#: No address has more than a few connections.
ADDRESSES = 100
#: Of an upload that stalls.
BEGINNING_BYTES = 10_000
#: More than the buffers of a connection hold.
LARGE_BYTES = 16 << 20


# Transfers that are slow, and those that stall.

def line_to(server, receive_buffer=None):
    host, _, port = server.registry.rpartition(":")
    line = socket.socket()
    if receive_buffer:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    line.settimeout(60)
    line.connect((host, int(port)))
    return line


def head(registry, method, path, **headers):
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: {registry.login}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def rest_of(line):
    """All that still comes before the end of the connection."""
    back = b""
    with contextlib.suppress(ConnectionError):
        while chunk := line.recv(1 << 20):
            back += chunk
    return back


def slow_push(server, registry, content):
    """Longer on its way than the longest silence, and never silent for as long."""
    place = with_query(registry.start_upload("app"), digest=images.digest(content))
    pieces = 2 * int(SILENCE_S / TIMES / PAUSE_S)
    size = -(-len(content) // pieces)
    with line_to(server) as line:
        line.sendall(head(registry, "PUT", place, Content_Length=len(content)))
        for at in range(0, len(content), size):
            line.sendall(content[at:at + size])
            time.sleep(PAUSE_S)  # the client is as slow as that
        assert rest_of(line).startswith(b"HTTP/1.1 201 ")
    assert registry("GET", f"/v2/app/blobs/{images.digest(content)}").expect(200).body == content


def stalled_push(server, registry, content):
    """Cut; what came is kept, and the upload goes on."""
    place = registry.start_upload("app")
    half = len(content) // 2
    with line_to(server) as line:
        line.sendall(head(registry, "PATCH", place, Content_Length=len(content)) + content[:half])
        began = time.monotonic()
        rest_of(line)
        assert time.monotonic() - began > SILENCE_S / TIMES / 2
    until(lambda: registry("GET", place).expect(204)["Range"] == f"0-{half - 1}", "what came before the cut is not kept")
    answer = registry("PUT", with_query(place, digest=images.digest(content)), content[half:],
                      {"Content-Range": f"{half}-{len(content) - 1}"})
    answer.expect(201)


def slow_pull(server, registry, content):
    """Longer on its way than a client may go without reading; it reads a little now and then: less than
    makes the socket writable within that time."""
    with line_to(server, receive_buffer=8192) as line:
        line.sendall(head(registry, "GET", f"/v2/app/blobs/{images.digest(content)}"))
        back, end = b"", time.monotonic() + 2 * UNREAD_S / TIMES
        while time.monotonic() < end:
            back += line.recv(8192)
            time.sleep(PAUSE_S)  # the client is as slow as that
        back += rest_of(line)
    _, _, body = back.partition(b"\r\n\r\n")
    assert hashlib.sha256(body).digest() == hashlib.sha256(content).digest(), f"{len(body)} bytes of {len(content)} came"


def stalled_pull(server, registry, content):
    """Cut: the rest of the layer never comes, however late it is read."""
    with line_to(server, receive_buffer=8192) as line:
        line.sendall(head(registry, "GET", f"/v2/app/blobs/{images.digest(content)}"))
        port = line.getsockname()[1]
        until(lambda: is_connected(server, port), "the server has not taken the connection")
        until(lambda: not is_connected(server, port), "a client that does not read is never cut")
        assert len(rest_of(line)) < len(content)


def is_connected(server, port):
    """Whether the server's end of a connection is open, as the kernel tells."""
    own = int(server.registry.rpartition(":")[2])
    ends = (f":{own:04X}", f":{port:04X}")
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    return any((row[1][-5:], row[2][-5:]) == ends and row[3] == "01" for row in rows)


def test_slow_transfers_arrive_and_stalled_ones_are_cut(tmp_path):
    clock = FastClock(tmp_path, TIMES)
    large = images.Image(layer_bytes=LARGE_BYTES)
    with Server(tmp_path / "berth", environment=clock.environment) as server:
        server.root.create_repository("app")
        registry = server.root.raw()
        registry.push("app", "v1", large).expect(201)
        failures = []

        def one(story, content):
            try:
                story(server, registry, content)
            except BaseException as failure:  # told by the test's own thread
                failures.append(failure)

        stories = [(slow_push, images.Image(layer_bytes=100_000).layer), (stalled_push, images.Image(layer_bytes=100_000).layer),
                   (slow_pull, large.layer), (stalled_pull, large.layer)]
        threads = [threading.Thread(target=one, args=story) for story in stories]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


# Two thousand connections.

class Line:
    """A connection that stays open for one request after the other."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, server, number, **more):
        """From one of many addresses of the loopback network."""
        host, _, port = server.registry.rpartition(":")
        address = f"127.7.{1 + number % ADDRESSES}.1"
        return cls(*await asyncio.open_connection(host, int(port), local_addr=(address, 0), **more))

    async def __call__(self, registry, method, path, body=b"", **headers):
        """The status, the headers, and the body."""
        request = head(registry, method, path, Accept="*/*", Content_Length=len(body), **headers)
        self.writer.write(request.replace(b"Connection: close\r\n", b"") + body)
        await self.writer.drain()
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        answer = b"" if method == "HEAD" else await self.reader.readexactly(int(found.get("content-length", "0")))
        return int(lines[0].split()[1]), found, answer


async def silent(server, registry, number):
    """Nothing is sent."""
    return await Line.open(server, number)


async def half_a_head(server, registry, number):
    line = await Line.open(server, number)
    line.writer.write(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-")
    return line


async def half_a_body(server, registry, number):
    """An upload of somebody who may."""
    line = await Line.open(server, number)
    status, headers, _ = await line(registry, "POST", "/v2/app/blobs/uploads/")
    assert status == 202
    registry.places.append(headers["location"])
    line.writer.write(head(registry, "PATCH", headers["location"], Content_Length=1_000_000) + bytes(BEGINNING_BYTES))
    return line


async def unread(server, registry, number):
    """A large layer that is asked for and not taken."""
    line = await Line.open(server, number, limit=1)
    line.writer.transport.pause_reading()
    line.writer.write(head(registry, "GET", f"/v2/app/blobs/{images.digest(registry.large.layer)}"))
    return line


async def pulls(server, registry, number):
    line, image = await Line.open(server, number), registry.image
    for _ in range(TURNS):
        for path, content in ((f"manifests/{image.digest}", image.manifest), (f"blobs/{images.digest(image.layer)}", image.layer)):
            status, _, body = await line(registry, "GET", f"/v2/app/{path}")
            assert (status, body) == (200, content)
    return line


async def pushes(server, registry, number):
    line = await Line.open(server, number)
    for turn in range(TURNS):
        image = images.Image(layer_bytes=10_000)
        for blob in image.blobs:
            status, headers, _ = await line(registry, "POST", "/v2/app/blobs/uploads/")
            assert status == 202
            status, _, body = await line(registry, "PUT", with_query(headers["location"], digest=images.digest(blob)), blob)
            assert status == 201, body
        path = f"/v2/app/manifests/v-{number}-{turn}"
        status, _, body = await line(registry, "PUT", path, image.manifest, Content_Type=image.media_type)
        assert status == 201, body
        status, _, body = await line(registry, "GET", path)
        assert (status, body) == (200, image.manifest)
    return line


def test_stalled_connections_stop_nobody(tmp_path):
    clock = FastClock(tmp_path)
    with Server(tmp_path / "berth", environment=clock.environment) as server:
        server.root.create_repository("app")
        registry = server.root.raw()
        registry.image, registry.large, registry.places = images.Image(layer_bytes=10_000), images.Image(layer_bytes=LARGE_BYTES), []
        for tag, image in (("image", registry.image), ("large", registry.large)):
            registry.push("app", tag, image).expect(201)
            registry.pull("app", image)
        before = transfers_open(server)

        async def story():
            kinds = [silent, half_a_head, half_a_body, unread]
            lines = await asyncio.gather(*(kinds[number % len(kinds)](server, registry, number) for number in range(STALLED)))
            held = transfers_open(server)
            assert held >= before + STALLED, "the stalled connections are not all open"
            others = [(pushes if number < PUSHERS else pulls)(server, registry, number) for number in range(OTHERS)]
            lines += await asyncio.gather(*others)
            assert transfers_open(server) >= before + STALLED + OTHERS, "a connection was cut"
            # The others have all been answered: now it takes seconds until the server has waited long enough.
            clock.run(TIMES)
            cut = before + len(registry.places)
            await asyncio.to_thread(until, lambda: transfers_open(server) <= cut, "stalled connections are never cut")
            for line in lines:
                line.writer.close()

        asyncio.run(story())
        # The beginnings of the uploads are there, so that they can go on.
        for place in registry.places:
            assert registry("GET", place).expect(204)["Range"] == f"0-{BEGINNING_BYTES - 1}"
            registry("DELETE", place).expect(204)
        until(lambda: transfers_open(server) <= before, "files or connections are still open")
        assert memory_peak(server) < MEMORY_BYTES_MAX
        registry.pull("app", registry.image)
