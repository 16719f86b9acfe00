"""Layers that nobody needs go by themselves, while clients push and pull."""

import pytest

from berth import images
from berth.audit import events
from berth.people import failing
from berth.policies import policy, push_and_pull
from berth.server import Server, binary
from berth.waiting import until

AFTER_S = 2


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("collection"), "--collect-after", str(AFTER_S)) as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


def stored_bytes(berth):
    return sum(file.stat().st_size for file in (berth.data / "blobs" / "blobs").rglob("*") if file.is_file())


def delete(root, repository, tag):
    answer = root.ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    assert answer["failures"] == []


def test_bytes_of_a_deleted_image_are_freed_and_shared_ones_stay(berth, root):
    root.create_repository("web")
    root.create_repository("api")
    base, own = images.Image(layer_bytes=200_000), images.Image(layer_bytes=300_000)
    root.raw().push("web", "base", base).expect(201)
    root.raw().push("api", "base", base).expect(201)
    root.raw().push("web", "own", own).expect(201)
    full = stored_bytes(berth)
    delete(root, "web", "base")
    delete(root, "web", "own")
    until(lambda: stored_bytes(berth) < full - 250_000, "the layer is not deleted")
    root.raw().pull("api", base)
    root.raw()("GET", f"/v2/web/blobs/{images.digest(own.layer)}").expect(404)
    assert any(images.digest(own.layer) in event["serviceEventDetails"]["layerDigests"]
               for event in events(berth, eventName="CollectLayers"))
    # It is not there, so that a client uploads it; and then it is.
    root.raw().push("web", "again", own).expect(201)
    root.raw().pull("web", own)


def test_docker_pushes_again_what_was_collected(berth, root):
    root.create_repository("built")
    root.docker.login()
    root.docker.build("built:v1")
    root.docker.push("built:v1").ok()
    before = len(events(berth, eventName="CollectBlobs"))
    delete(root, "built", "v1")
    until(lambda: len(events(berth, eventName="CollectBlobs")) > before, "nothing is deleted")
    root.docker.push("built:v1").ok()
    root.docker.pull("built:v1").ok()


def test_a_run_by_command(berth, root):
    dry = root.run(binary(), "gc", "--dry-run").out
    assert "COMPLETE would delete 0 of " in dry
    assert "COMPLETE deleted 0 of " in root.run(binary(), "gc").out
    listed = root.run(binary(), "gc", "--list", "5").out.splitlines()
    assert len(listed) == 5 and "deleted" in listed[0]


def test_only_the_servers_own_account_collects(berth, root):
    user = root.create_user("pusher", policy(*push_and_pull("web")))
    user.run(binary(), "gc").failed("berth:StartCollection", "no identity-based policy allows")
    other = berth.create_account("444455556666")
    other.run(binary(), "gc").failed(f"callers of the account {root.account} only")


def test_what_a_crash_left_is_found(tmp_path):
    with Server(tmp_path, "--collect-after", str(AFTER_S)) as berth:
        root = berth.root
        root.create_repository("app")
        root.raw().push("app", "v1", images.Image()).expect(201)
        lost = berth.data / "blobs" / "blobs" / "objects" / "00" / ("00" * 16)
        lost.parent.mkdir(parents=True, exist_ok=True)
        lost.write_bytes(b"lost")
        # It is a moment old: it may be a push that has not written its row yet.
        out = root.run(binary(), "gc").out
        assert "COMPLETE" in out and lost.exists()
        failing(root.ecr.describe_images, "ImageNotFoundException", repositoryName="app", imageIds=[{"imageTag": "v2"}])
