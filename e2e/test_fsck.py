"""Damage is noticed, told in words that help, and gone when the image is pushed again; `berth fsck` finds and repairs the rest."""

import json
import sqlite3

import pytest

from berth import images
from berth.audit import events
from berth.policies import policy, push_and_pull
from berth.server import Server, binary
from berth.waiting import until

ANY = {"Accept": "*/*"}
FOUND = 3


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("fsck")) as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


def rows(server, sql, *values):
    with sqlite3.connect(f"file:{server.data}/berth.db?mode=ro", uri=True) as database:
        return database.execute(sql, values).fetchall()


def change(server, sql, *values):
    """Changes the database of a stopped server, as nobody should."""
    database = sqlite3.connect(server.data / "berth.db")
    with database:
        assert database.execute(sql, values).rowcount > 0, sql
    database.close()


def file_of(server, digest):
    (key,), = rows(server, "SELECT object_key FROM blobs WHERE digest = ?", digest)
    return server.data / "blobs" / "blobs" / key


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def fsck(root, server, *options, code=0):
    done = root.run(binary(), "fsck", "--data", server.data, *options).seen()
    assert done.code == code, str(done)
    return done.text


def layers(root, repository, tag):
    manifest = root.raw()("GET", f"/v2/{repository}/manifests/{tag}", headers=ANY).expect(200)
    return sorted(json.loads(manifest.body)["layers"], key=lambda layer: layer["size"])


def test_docker_pushes_a_lost_layer_again(berth, root, tmp_path):
    root.create_repository("built")
    root.docker.login()
    root.skopeo.login()
    message = root.docker.build("built:v1", buildkit=False)
    root.docker.push("built:v1").ok()
    # The smaller layer is this image's alone: docker has the other one from other stories, and does not ask for it.
    lost = layers(root, "built", "v1")[0]["digest"]
    file_of(berth, lost).unlink()
    said = f"The layer with digest '{lost}' is damaged in this registry and cannot be pulled. Push an image that has it again to repair it"
    # skopeo shows the status alone, docker the words (after it has tried for a while).
    root.skopeo.pull("built:v1", f"oci:{tmp_path / 'damaged'}:v1").failed("410 (Gone)")
    root.docker("save", "--output", tmp_path / "image.tar", root.image("built:v1")).ok()
    root.docker.pull("built:v1").failed(said)
    answer = root.raw()("GET", f"/v2/built/blobs/{lost}").expect(410)
    assert answer.json["errors"][0]["code"] == "BLOB_UNKNOWN" and answer["Cache-Control"] == "no-store"
    root.raw()("HEAD", f"/v2/built/blobs/{lost}").expect(404)
    root.aws("ecr", "get-download-url-for-layer", "--repository-name", "built", "--layer-digest", lost).failed(
        "LayerInaccessibleException", said)
    checked = root.ecr.batch_check_layer_availability(repositoryName="built", layerDigests=[lost])
    assert checked["layers"][0]["layerAvailability"] == "UNAVAILABLE"
    assert events(berth, eventName="MarkDamagedLayer")[-1]["serviceEventDetails"]["digest"] == lost

    root.docker("load", "--input", tmp_path / "image.tar").ok()
    root.docker.push("built:v1").ok()
    root.skopeo.pull("built:v1", f"oci:{tmp_path / 'whole'}:v1").ok()
    root.docker.pull("built:v1").ok()
    assert root.docker.message("built:v1") == message


def test_a_changed_bit_is_gone_after_a_push(berth, root):
    root.create_repository("flipped")
    image = images.Image(layer_bytes=200_000)
    root.raw().push("flipped", "v1", image).expect(201)
    digest = images.digest(image.layer)
    flip(file_of(berth, digest))
    assert root.raw()("GET", f"/v2/flipped/blobs/{digest}").expect(200).body != image.layer
    root.raw().push("flipped", "v1", image).expect(201)
    root.raw().pull("flipped", image)


def test_a_check_refuses_a_server_that_runs(berth, root, tmp_path):
    assert "without --data" in fsck(root, berth, code=1)
    nowhere = tmp_path / "nowhere"
    root.run(binary(), "fsck", "--data", nowhere).failed("there is no database")
    assert not nowhere.exists()


def test_a_running_server_checks_and_repairs_itself(berth, root):
    root.create_repository("online")
    image = images.Image(layer_bytes=60_000)
    root.raw().push("online", "v1", image).expect(201)
    digest = images.digest(image.layer)
    flip(file_of(berth, digest))
    report = root.run(binary(), "fsck", "--output", "json").seen()
    assert report.code == FOUND, str(report)
    finding, summary = (json.loads(line) for line in report.text.splitlines())
    assert finding["kind"] == "WRONG_BYTES" and finding["object"] == digest and not finding["repaired"]
    assert summary["kinds"] == {"WRONG_BYTES": {"found": 1}}
    assert root.run(binary(), "fsck", "--repair").seen().code == FOUND
    assert "nothing is wrong" in root.run(binary(), "fsck").out
    root.raw()("GET", f"/v2/online/blobs/{digest}").expect(410)
    root.raw().push("online", "v1", image).expect(201)
    root.raw().pull("online", image)
    assert len(root.run(binary(), "fsck", "--list").out.splitlines()) == 3
    user = root.create_user("reader", policy(*push_and_pull("online")))
    user.run(binary(), "fsck").failed("berth:StartIntegrityCheck", "no identity-based policy allows")
    other = berth.create_account("444455556666")
    other.run(binary(), "fsck").failed(f"callers of the account {root.account} only")


def test_the_scrub_finds_damage_by_itself(tmp_path):
    with Server(tmp_path, "--scrub-after", "1", "--scrub-rate", "0") as server:
        root = server.root
        root.create_repository("app")
        image = images.Image(layer_bytes=60_000)
        root.raw().push("app", "v1", image).expect(201)
        digest = images.digest(image.layer)
        flip(file_of(server, digest))
        until(lambda: root.raw()("HEAD", f"/v2/app/blobs/{digest}").expect(200, 404).status == 404, "the scrub finds nothing")
        root.raw()("GET", f"/v2/app/blobs/{digest}").expect(410)
        root.raw().push("app", "v1", image).expect(201)
        root.raw().pull("app", image)
        assert events(server, eventName="MarkDamagedLayer")[0]["serviceEventDetails"]["damage"] == "WRONG_BYTES"


def contents(server):
    files = server.data.rglob("*")
    # The database is compared by its rows: its files may be written anew without a change.
    return {path: path.read_bytes() for path in files
            if path.is_file() and not path.name.startswith("berth.db") and path.name not in ("lock", "setup.lock")}


def test_a_stopped_server_is_checked_and_repaired(tmp_path):
    with Server(tmp_path) as server:
        root = server.root
        root.create_repository("app")
        lost, changed, linked, served = (images.Image(layer_bytes=50_000) for _ in range(4))
        for tag, image in (("lost", lost), ("changed", changed), ("linked", linked), ("served", served)):
            root.raw().push("app", tag, image).expect(201)
        server.stop()
        assert "nothing is wrong" in fsck(root, server)

        file_of(server, images.digest(lost.layer)).unlink()
        flip(file_of(server, images.digest(changed.layer)))
        change(server, "DELETE FROM blobs WHERE digest = ?", images.digest(linked.layer))
        change(server, "UPDATE images SET content = ? WHERE digest = ?", b"{}", served.digest)
        change(server, "UPDATE repositories SET image_count = 99")
        before, dump = contents(server), rows(server, "SELECT digest, damaged_at FROM blobs")
        report = fsck(root, server, "--output", "json", code=FOUND)
        kinds = json.loads(report.splitlines()[-1])["kinds"]
        # The file of the blob without a row has none any more.
        expected = {"LOST_FILE": 1, "WRONG_BYTES": 1, "UNKNOWN_FILE": 1, "LINK_WITHOUT_BLOB": 1, "WRONG_MANIFEST": 1,
                    "IMAGE_COUNT": 1}
        assert {kind: count["found"] for kind, count in kinds.items()} == expected
        assert all(count["repaired"] == 0 for count in kinds.values())
        assert contents(server) == before and rows(server, "SELECT digest, damaged_at FROM blobs") == dump

        assert "found 6, repaired 6" in fsck(root, server, "--repair", code=FOUND)
        said = fsck(root, server)
        assert "nothing is wrong" in said and "known to be lost or damaged: 4" in said
        # No file is gone: two are in the quarantine, each with its note.
        there = contents(server)
        moved = [path for path in before if path not in there]
        assert len(moved) == 2 and all(before[path] in there.values() for path in moved)
        notes = [json.loads(path.read_text()) for path in (server.data / "blobs" / "quarantine").glob("*.json")]
        assert {note["finding"] for note in notes} == {"WRONG_BYTES", "UNKNOWN_FILE"}

        server.start()
        raw = root.raw()
        for image in (lost, changed, linked):
            raw("GET", f"/v2/app/blobs/{images.digest(image.layer)}").expect(410)
        raw("GET", f"/v2/app/manifests/{served.digest}", headers=ANY).expect(410)
        for tag, image in (("lost", lost), ("changed", changed), ("linked", linked), ("served", served)):
            raw.push("app", tag, image).expect(201)
            raw.pull("app", image)
        server.stop()
        said = fsck(root, server)
        assert "nothing is wrong" in said and "known" not in said
        server.start()
