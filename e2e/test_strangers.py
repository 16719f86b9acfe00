"""Strangers on an open network: eight addresses that each do one bad thing, and honest clients that finish all the same.

Each attack talks to the loopback address only, from 127.0.0.2 to 127.0.0.9, and is bounded in connections and time.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import threading
import time

import pytest

from berth import images, sigv4
from berth.people import failing
from berth.policies import policy, push_and_pull
from berth.raw import Raw
from berth.server import Server

pytestmark = pytest.mark.usefixtures("many_files")

ATTACKERS = [f"127.0.0.{number}" for number in range(2, 10)]
MEMORY_BYTES_MAX = 256 << 20
AUDIT_BYTES_MAX = 2 << 20
ATTACK_S_MAX = 60
HONEST_CALLS = 10


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "berth") as running:
        running.root.create_repository("app")
        yield running


@contextlib.contextmanager
def under(attack, server, *arguments):
    """Runs `attack(address, host, port, ready, stop, *arguments)` for each address until the block ends."""
    host, _, port = server.registry.rpartition(":")
    ready, stop = threading.Semaphore(0), threading.Event()

    async def all_of_them():
        tasks = [asyncio.create_task(attack(address, host, int(port), ready, stop, *arguments)) for address in ATTACKERS]
        until = time.monotonic() + ATTACK_S_MAX
        while not stop.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(all_of_them(),), daemon=True)
    thread.start()
    try:
        for _ in ATTACKERS:
            assert ready.acquire(timeout=ATTACK_S_MAX), "an attacker never got going"
        yield
    finally:
        stop.set()
        thread.join(ATTACK_S_MAX)


async def connect(address, host, port):
    return await asyncio.open_connection(host, port, local_addr=(address, 0))


async def hold(streams, stop):
    """Keeps connections open; the server may close them."""
    try:
        while not stop.is_set():
            await asyncio.sleep(0.1)
    finally:
        for _, writer in streams:
            writer.close()


def honest(server):
    """Calls and pulls from another address: all of them succeed."""
    root, registry = server.root, server.root.raw()
    image = images.Image()
    registry.push("app", "v1", image).expect(201)
    for _ in range(HONEST_CALLS):
        assert root.sts.get_caller_identity()["Account"] == root.account
        registry("GET", "/v2/app/tags/list").expect(200)
    registry.pull("app", image)


def memory_peak(server):
    """The most memory that the server had resident, in bytes."""
    with open(f"/proc/{server.pid}/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


def audit_bytes(server):
    return sum(file.stat().st_size for file in (server.data / "audit").iterdir())


async def unfinished(address, host, port, ready, stop):
    streams = []
    for _ in range(560):
        with contextlib.suppress(OSError):
            reader, writer = await connect(address, host, port)
            writer.write(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-")
            streams.append((reader, writer))
    ready.release()
    await hold(streams, stop)


async def long_heads(address, host, port, ready, stop):
    streams = []
    for _ in range(250):
        with contextlib.suppress(OSError):
            reader, writer = await connect(address, host, port)
            writer.write(b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 60_000)
            streams.append((reader, writer))
    ready.release()
    await hold(streams, stop)


async def many_heads_of_http2(address, host, port, ready, stop):
    """32 unfinished requests on each connection, each with a hundred headers of one byte (RFC 7541, static table)."""
    block = bytes([0x83, 0x86, 0x84, 0x41, 1]) + b"x" + bytes([0x90]) * 100
    frames = b"".join(len(block).to_bytes(3) + bytes([1, 4]) + (2 * n + 1).to_bytes(4) + block for n in range(32))
    streams = []
    for _ in range(100):
        with contextlib.suppress(OSError):
            reader, writer = await connect(address, host, port)
            writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + frames)
            streams.append((reader, writer))
    ready.release()
    await hold(streams, stop)


async def again_and_again(address, host, port, ready, stop, requests, connections):
    """Sends the next request when the last was answered."""
    async def one(number):
        while not stop.is_set():
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await connect(address, host, port)
                with contextlib.closing(writer):
                    while not stop.is_set():
                        writer.write(requests[number % len(requests)])
                        head = await reader.readuntil(b"\r\n\r\n")
                        if length := [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]:
                            await reader.readexactly(int(length[0].split(b":")[1]))
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(one(number)) for number in range(connections)]
    ready.release()
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def slow_bodies(address, host, port, ready, stop, head):
    """A known key id, a wrong signature, and a body that comes as slowly as it may."""
    streams = []
    for _ in range(40):
        with contextlib.suppress(OSError):
            reader, writer = await connect(address, host, port)
            writer.write(head + b"x" * 60_000)
            streams.append((reader, writer))
    ready.release()
    try:
        while not stop.is_set():
            for _, writer in streams:
                with contextlib.suppress(OSError):
                    writer.write(b"x" * 20_000)
            await asyncio.sleep(0.3)
    finally:
        for _, writer in streams:
            writer.close()


def forged(server, body, length=None):
    """A request under the root user's key id, which is known, with a signature that is not the key's."""
    headers = sigv4.sign(server.root.credentials, server.registry, b"something else", "iam",
                         headers={"content-type": "application/x-www-form-urlencoded"})
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}content-length: {len(body) if length is None else length}\r\n\r\n".encode() + body


@pytest.mark.parametrize("attack", [unfinished, long_heads, many_heads_of_http2])
def test_unfinished_requests_stop_nobody(server, attack):
    with under(attack, server):
        honest(server)
    assert memory_peak(server) < MEMORY_BYTES_MAX


def test_wrong_signatures_stop_nobody(server):
    request = forged(server, b"Action=ListUsers&Version=2010-05-08" + b"&" * 4000)
    with under(again_and_again, server, [request], 40):
        honest(server)
    assert memory_peak(server) < MEMORY_BYTES_MAX
    assert audit_bytes(server) < AUDIT_BYTES_MAX


def test_slow_bodies_stop_nobody(server):
    with under(slow_bodies, server, forged(server, b"", length=1_000_000)):
        honest(server)
    assert memory_peak(server) < MEMORY_BYTES_MAX


def test_requests_without_credentials_fill_no_disk(server):
    challenge = b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"
    login = b"GET /v2/app/tags/list HTTP/1.1\r\nHost: x\r\nAuthorization: Basic QVdTOng=\r\n\r\n"
    call = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\nAction=ListUsers"
    with under(again_and_again, server, [challenge, login, call], 3):
        honest(server)
    assert memory_peak(server) < MEMORY_BYTES_MAX
    assert audit_bytes(server) < AUDIT_BYTES_MAX
    server.stop()
    lines = [json.loads(line) for file in (server.data / "audit").iterdir() for line in file.read_text().splitlines()]
    summaries = [line["serviceEventDetails"] for line in lines if line["eventName"] == "UnauthenticatedRequests"]
    assert {summary["address"] for summary in summaries} >= set(ATTACKERS)
    assert all(summary["count"] > 0 and summary["first"] <= summary["last"] for summary in summaries)
    server.start()


@contextlib.contextmanager
def disk_at(directory):
    """A small disk of its own there."""
    directory.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.fixture(params=["data/audit", "data"])
def small_disk(request, tmp_path):
    """A server whose audit log, or all of its files, lie on a small disk; and that disk."""
    home = tmp_path / "berth"
    with disk_at(home / request.param) as disk:
        (home / "data").chmod(0o700)
        with Server(home, "--disk-reserve", "1M") as running:
            yield running, disk


def ready(server, query=""):
    return Raw(server)("GET", f"/readyz{query}", login=False)


def eventually(condition):
    """The server looks at its disks about once a second."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)  # between two looks, not for correctness
    raise AssertionError("it never came true")


def test_a_full_audit_disk_stops_writes_and_nothing_else(small_disk):
    server, disk = small_disk
    root, registry = server.root, server.root.raw()
    root.create_repository("app")
    alice = root.create_user("alice", policy(*push_and_pull("app")))
    image = images.Image()
    registry.push("app", "v1", image).expect(201)
    assert ready(server, "?for=write").expect(200).body == b"ok\n"

    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    eventually(lambda: b"audit log" in ready(server).expect(200).body)
    ready(server, "?for=write").expect(503)
    registry.pull("app", image)
    assert alice.password
    key = alice.credentials.access_key_id
    iam, sts = root.iam, root.sts
    failing(iam.create_user, "ServiceUnavailable", UserName="bob")
    failing(iam.create_access_key, "ServiceUnavailable", UserName="alice")
    failing(sts.get_session_token, "ServiceUnavailable")
    registry("POST", "/v2/app/blobs/uploads/").error(503, "UNAVAILABLE")
    # What only takes access away goes on.
    iam.update_access_key(UserName="alice", AccessKeyId=key, Status="Inactive")
    iam.delete_access_key(UserName="alice", AccessKeyId=key)
    for name in iam.list_user_policies(UserName="alice")["PolicyNames"]:
        iam.delete_user_policy(UserName="alice", PolicyName=name)
    for attached in iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"]:
        iam.detach_user_policy(UserName="alice", PolicyArn=attached["PolicyArn"])
    iam.delete_user(UserName="alice")
    for _ in range(200):
        registry("GET", "/v2/app/tags/list").expect(200)

    filler.unlink()
    eventually(lambda: ready(server, "?for=write").status == 200)
    root.create_user("carol")
    server.stop()
    files = sorted((server.data / "audit").glob("*.jsonl"))
    names = [json.loads(line)["eventName"] for file in files for line in file.read_text().splitlines()]
    for name in ("DeleteAccessKey", "DeleteUser", "AuditEventsNotRecorded", "CreateUser"):
        assert name in names, name
    server.start()


def test_an_upload_stops_at_the_disk_reserve(tmp_path):
    with disk_at(tmp_path / "berth" / "data"), Server(tmp_path / "berth", "--disk-reserve", "60M") as server:
        server.root.create_repository("app")
        eventually(lambda: b"--disk-reserve" in ready(server).body)
        registry = server.root.raw()
        registry("POST", "/v2/app/blobs/uploads/").expect(503)
        registry("GET", "/v2/app/tags/list").expect(200)


def test_sighup_never_ends_the_server(server):
    os.kill(server.pid, 1)
    honest(server)
