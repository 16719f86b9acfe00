"""Layers of models: pushed in parts and at once, resumed after a cut, pulled in parallel ranges, deleted and collected, in the
same little memory whatever their size. The client makes the bytes while it sends them.
"""

import concurrent.futures
import hashlib
import json
import os
import shutil

import pytest

from berth import images
from berth.layers import Layer
from berth.process import memory_peak
from berth.raw import with_query
from berth.server import Server
from berth.waiting import until

MEMORY_BYTES_MAX = 100 << 20
COLLECT_AFTER_S = 2
READERS = 4
CHUNKS = 5
#: What a story may leave on the disk: manifests, the audit log, the database.
REST_BYTES = 4 << 20
SIZE, SIZE_SLOW = 256 << 20, 20 << 30
DISK_RESERVE_BYTES = 1 << 30


def disk_bytes(server):
    """What the server's files take of the disk. Files may go meanwhile."""
    taken = 0
    for folder, _, names in os.walk(server.data):
        for name in names:
            try:
                taken += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return taken


def received(registry, place):
    """How many bytes of an upload the server has. An upload without any answers `0-0`."""
    last = int(registry("GET", place).expect(204)["Range"].removeprefix("0-"))
    return last + 1 if last else 0


def push_in_chunks(registry, layer):
    """The third chunk is cut in the middle and the rest of it sent again."""
    place = registry.start_upload("models")
    size = -(-layer.size // CHUNKS)
    at = 0
    for number, end in enumerate([*range(size, layer.size, size), layer.size]):
        if number == 2:
            assert layer.send(registry, "PATCH", place, at, end, cut_at=(at + end) // 2,
                              headers={"Content-Range": f"{at}-{end - 1}"}) is None
            at = resumed(registry, layer, place, at, end)
        else:
            assert layer.send(registry, "PATCH", place, at, end, headers={"Content-Range": f"{at}-{end - 1}"}) == 202
            at = end
        assert received(registry, place) == at
    answer = registry("PUT", with_query(place, digest=layer.digest)).expect(201)
    assert answer["Docker-Content-Digest"] == layer.digest


def resumed(registry, layer, place, begun, end):
    """What the server kept is not sent again."""
    kept = []

    def goes_on():
        # Until the server has noticed the cut, the upload is busy, and may still grow.
        at = received(registry, place)
        if at <= begun:
            return False
        status = layer.send(registry, "PATCH", place, at, end, headers={"Content-Range": f"{at}-{end - 1}"})
        assert status in (202, 409, 416, None), status
        if status == 202:
            kept.append(at - begun)
        return status == 202

    until(goes_on, "the upload that was cut does not go on")
    assert kept[0] > 0
    return end


def push_at_once(registry, layer):
    place = registry.start_upload("models")
    assert layer.send(registry, "PUT", with_query(place, digest=layer.digest),
                      headers={"Content-Type": "application/octet-stream"}) == 201


def push_at_once_cut(registry, layer):
    """The one request is cut: the client asks what is there, and sends the rest."""
    place = registry.start_upload("models")
    layer.send(registry, "PUT", with_query(place, digest=layer.digest), cut_at=layer.size // 2)
    resumed(registry, layer, place, 0, layer.size)
    registry("PUT", with_query(place, digest=layer.digest)).expect(201)


def tag(registry, layer):
    """An image of the layer alone."""
    config = b'{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["%s"]}}' % layer.digest.encode()
    registry.put_blob("models", config).expect(201)
    described = {"mediaType": images.OCI_LAYER, "digest": layer.digest, "size": layer.size}
    manifest = {"schemaVersion": 2, "mediaType": images.OCI_MANIFEST,
                "config": images.descriptor(images.OCI_CONFIG, config), "layers": [described]}
    registry.put_manifest("models", "large", json.dumps(manifest).encode()).expect(201)


def pull(registry, layer):
    """In ranges, at once, one of them cut and resumed; then as a whole by its digest."""
    path = f"/v2/models/blobs/{layer.digest}"
    assert registry("HEAD", path).expect(200)["Content-Length"] == str(layer.size)
    # Not at the bounds of anything.
    bounds = [0, *(layer.size * number // READERS + 7 * number for number in range(1, READERS)), layer.size]

    def one(number):
        start, end = bounds[number:number + 2]
        if number == 1:
            start += layer.receive(registry, path, start, end, cut_at=(start + end) // 2)
        return layer.receive(registry, path, start, end)

    with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
        assert sum(readers.map(one, range(READERS))) + (bounds[1] + bounds[2]) // 2 - bounds[1] == layer.size
    sha256 = hashlib.sha256()
    layer.receive(registry, path, sha256=sha256)
    assert f"sha256:{sha256.hexdigest()}" == layer.digest


def delete(server, registry, layer, before):
    """The disk has its room again."""
    assert disk_bytes(server) > before + layer.size - REST_BYTES
    answer = server.root.ecr.batch_delete_image(repositoryName="models", imageIds=[{"imageTag": "large"}])
    assert answer["failures"] == []
    until(lambda: disk_bytes(server) < before + REST_BYTES, "the room of the deleted layer is not given back")
    registry("HEAD", f"/v2/models/blobs/{layer.digest}").expect(404)


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("large"), "--collect-after", str(COLLECT_AFTER_S)) as server:
        server.root.create_repository("models")
        yield server


@pytest.mark.parametrize("size", [SIZE, pytest.param(SIZE_SLOW, marks=pytest.mark.slow)])
@pytest.mark.parametrize("push", [push_in_chunks, push_at_once, push_at_once_cut])
def test_a_layer_of_a_model(berth, tmp_path, size, push):
    # The kernel gives a large file's room back some time after its name is gone.
    until(lambda: shutil.disk_usage(tmp_path).free > size + DISK_RESERVE_BYTES, f"the disk has no room for {size} bytes")
    registry = berth.root.raw()
    before = disk_bytes(berth)
    layer = Layer(size)
    push(registry, layer)
    tag(registry, layer)
    pull(registry, layer)
    delete(berth, registry, layer, before)
    assert memory_peak(berth) < MEMORY_BYTES_MAX
