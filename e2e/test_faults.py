"""A disk that fails while clients push and pull: clear errors, nothing lost, and business as usual without a restart."""

import secrets
import subprocess
import threading

import pytest

from berth import fault_rounds, faults, images
from berth.server import Server
from berth.workload import Disk

#: One of each kind of cause; the other kinds follow in `cargo xtask crash-test --faults`.
QUICK = ["full", "unchangeable", "read-only", "sync-eio", "write-eio", "name-eio", "read-eio", "few-files"]
#: More than the server has threads for work that blocks.
STUCK = 600


def test_each_kind_of_fault(capsys):
    fault_rounds.run(QUICK, 1)
    assert "0 losses" in capsys.readouterr().out


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path)
    yield disk
    subprocess.run(["umount", disk.path], check=True)


@pytest.fixture
def server(disk, tmp_path):
    with Server(tmp_path / "berth", "--blobs", f"dir:{disk.path}/blobs") as running:
        yield running


def test_pulls_go_on_while_the_disk_takes_no_write(server, disk):
    """The layers' disk hangs in each write and sync, for as long as it is frozen."""
    server.root.create_repository("app")
    registry = server.root.raw()
    image = images.Image(layer_bytes=1 << 20)
    registry.push("app", "v1", image).expect(201)
    blobs = [secrets.token_bytes(1000) for _ in range(STUCK)]
    done = []

    def push(blob):
        place = f"/v2/app/blobs/uploads/?digest={images.digest(blob)}"
        done.append(registry("POST", place, blob).status)

    pushes = [threading.Thread(target=push, args=(blob,), daemon=True) for blob in blobs]
    subprocess.run(["fsfreeze", "--freeze", disk.path], check=True)
    try:
        for thread in pushes:
            thread.start()
        for _ in range(10):
            registry.pull("app", image)
            registry("HEAD", f"/v2/app/blobs/{images.digest(image.layer)}").expect(200)
        assert not done, "a push was answered by a disk that writes nothing"
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", disk.path], check=True)
    for thread in pushes:
        thread.join()
    assert done == [201] * STUCK


def test_a_layer_that_cannot_be_read_is_not_given_up(server):
    """EIO is an error worth another try, and no damage yet: the layer is there as soon as the disk is."""
    server.root.create_repository("app")
    registry = server.root.raw()
    image = images.Image(layer_bytes=2 << 20)
    registry.push("app", "v1", image).expect(201)
    layer = f"/v2/app/blobs/{images.digest(image.layer)}"
    with faults.failing(server.pid, faults.READS, "EIO"):
        answer = registry("GET", layer).expect(503)
        assert answer.json["errors"][0]["code"] == "UNAVAILABLE" and answer["Retry-After"]
        registry("HEAD", layer).expect(200)
    registry.pull("app", image)
    registry("HEAD", layer).expect(200)
