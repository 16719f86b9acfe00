"""A disk that fills up: a clear error, nothing half-written, and business as usual once there is room again."""

import secrets
import subprocess

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


def test_a_layer_that_does_not_fit(server):
    server.root.create_repository("app")
    registry = server.root.raw()
    before = images.Image()
    registry.push("app", "before", before).expect(201)

    content = secrets.token_bytes(DISK_BYTES)
    place = registry.start_upload("app")
    answer = registry("PUT", with_query(place, digest=images.digest(content)), content)
    assert answer.expect(500, 503, 507).json["errors"], "the registry's own form"
    assert str(server.data).encode() not in answer.body
    registry("HEAD", f"/v2/app/blobs/{images.digest(content)}").expect(404)
    registry.pull("app", before)
    registry("DELETE", place).expect(204, 404)

    # There is room again: what fits is taken, now and after a new start.
    after = images.Image(layer_bytes=4 << 20)
    registry.push("app", "after", after).expect(201)
    server.kill()
    server.start()
    registry = server.root.raw()
    for image in (before, after):
        registry.pull("app", image)
