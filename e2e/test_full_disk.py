"""A disk that fills up: a clear error, nothing half-written, and business as usual once there is room again."""

import contextlib
import itertools
import secrets
import subprocess
import time

import pytest

from berth import images
from berth.raw import with_query
from berth.server import Server

DISK_BYTES = 32 << 20


@pytest.fixture(params=["layers", "everything"])
def server(request, tmp_path):
    """A server whose layers, or all of its files, lie on a small disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk], check=True)
    try:
        options = ("--blobs", f"dir:{disk}/blobs") if request.param == "layers" else ()
        with Server(tmp_path / "berth" if options else disk, *options) as running:
            yield running
    finally:
        subprocess.run(["umount", disk], check=True)


def writable_again(registry):
    """Waits until the server has noticed that there is room: it looks about once a second."""
    for _ in range(600):
        if registry("GET", "/readyz?for=write", login=False).status == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the server does not notice that there is room again")


def test_a_layer_that_does_not_fit(server):
    server.root.create_repository("app")
    registry = server.root.raw()
    before = images.Image()
    registry.push("app", "before", before).expect(201)

    content = secrets.token_bytes(DISK_BYTES)
    place = registry.start_upload("app")
    answer = registry("PUT", with_query(place, digest=images.digest(content)), content)
    assert [error["code"] for error in answer.expect(503).json["errors"]] == ["UNAVAILABLE"]
    assert answer.headers["Retry-After"] == "1"
    assert str(server.data).encode() not in answer.body
    registry("HEAD", f"/v2/app/blobs/{images.digest(content)}").expect(404)
    registry.pull("app", before)
    registry("DELETE", place).expect(204, 404)

    # There is room again: what fits is taken, now and after a new start.
    writable_again(registry)
    after = images.Image(layer_bytes=4 << 20)
    registry.push("app", "after", after).expect(201)
    server.kill()
    server.start()
    registry = server.root.raw()
    for image in (before, after):
        registry.pull("app", image)


def test_what_did_not_fit_gives_its_space_back(server):
    """Clients begin anew after an error, with another upload: what each try brought must not keep the disk full."""
    server.root.create_repository("app")
    registry = server.root.raw()
    too_much = secrets.token_bytes(DISK_BYTES)
    content = secrets.token_bytes(2 << 20)
    half = len(content) // 2
    octets = {"Content-Type": "application/octet-stream"}
    begun = registry("PATCH", registry.start_upload("app"), content[:half], octets).expect(202).location
    empty = registry.start_upload("app")
    for place in (begun, empty, registry.start_upload("app")):
        registry("PATCH", place, too_much, octets).expect(503)
        writable_again(registry)

    # What was acknowledged is there, and the upload goes on.
    status = registry("GET", begun).expect(204)
    assert status["Range"] == f"0-{half - 1}"
    place = registry("PATCH", status.location, content[half:], octets).expect(202).location
    registry("PUT", with_query(place, digest=images.digest(content))).expect(201)
    place = registry("PATCH", empty, content[half:], octets).expect(202).location
    registry("PUT", with_query(place, digest=images.digest(content[half:]))).expect(201)
    image = images.Image(layer_bytes=DISK_BYTES // 2)
    registry.push("app", "v1", image).expect(201)
    registry.pull("app", image)
    assert registry("GET", f"/v2/app/blobs/{images.digest(content)}").expect(200).body == content


@pytest.mark.parametrize("server", ["everything"], indirect=True)
def test_writes_go_on_when_there_is_room_again(server):
    """A failed commit costs that request alone: once there is room, writes succeed without a restart."""
    root = server.root
    root.create_repository("app")
    registry = root.raw()
    image = images.Image()
    registry.push("app", "v1", image).expect(201)
    filler = server.data / "filler"
    names = itertools.count()
    refused = 0
    for _ in range(10):
        # Metadata and blobs share the disk: nothing is left for the database's log.
        with filler.open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(bytes(1 << 16)):
                    pass
            with contextlib.suppress(OSError):
                while file.write(bytes(512)):
                    pass
        for _ in range(40):
            call = f"Action=CreateUser&Version=2010-05-08&UserName=user-{next(names):05}&Path=/{'x' * 400}/".encode()
            answer = registry.aws(root, "iam", call)
            if answer.status != 200:
                answer.expect(503)
                refused += 1
        # What needs no room goes on.
        registry.pull("app", image)
        filler.unlink()
        writable_again(registry)
        made = registry.aws(root, "iam", f"Action=CreateUser&Version=2010-05-08&UserName=after-{next(names):05}".encode())
        made.expect(200)
    assert refused, "the disk was never full: this has shown nothing"
