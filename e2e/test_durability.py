"""Acknowledged means durable: the server is killed in the middle of pushes, again and again, and nothing it said yes to is lost.

After each start: every acknowledged image pulls intact, a tag never names half an image, every stored file is a whole blob, and no file of an upload is left that nobody can go on with.
"""

import http.client
import random
import re
import threading

import pytest

from berth import images
from berth.policies import policy, push_and_pull
from berth.raw import with_query
from berth.server import Server

KILLS = 15
#: Of the long run.
KILLS_SLOW = 300
PUSHERS = 4
#: One image, on a machine that has much else to do.
PUSH_S_MAX = 120
_OBJECT = re.compile(r"objects/[0-9a-f]{2}/[0-9a-f]{32}$")
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


class Pusher(threading.Thread):
    """Pushes image after image, until the server is gone."""

    def __init__(self, registry, name):
        super().__init__(name=name, daemon=True)
        self.registry = registry
        self.has_pushed = threading.Event()
        self.acknowledged = []  # (tag, image): the server answered 201 to the manifest
        self.blobs = []  # (content): the server answered 201 to the blob
        self.sent = set()  # digests of all blobs, acknowledged or not
        self.uploads = []  # every upload's place that the server has named

    def run(self):
        count = 0
        try:
            while True:
                image = images.Image(layer_bytes=random.randint(1_000, 600_000))
                for blob in image.blobs:
                    self.sent.add(images.digest(blob))
                    place = self.registry.start_upload("app")
                    self.uploads.append(place)
                    half = len(blob) // 2
                    place = self.registry("PATCH", place, blob[:half]).expect(202).location
                    self.registry("PUT", with_query(place, digest=images.digest(blob)), blob[half:]).expect(201)
                    self.blobs.append(blob)
                tag = f"{self.name}-{count}"
                self.registry.put_manifest("app", tag, image.manifest).expect(201)
                self.acknowledged.append((tag, image))
                self.has_pushed.set()
                count += 1
        except (OSError, http.client.HTTPException):
            return  # killed


def stored_files(server):
    return [path for path in server.data.rglob("*") if path.is_file()]


def check(server, registry, pushers, sent):
    for pusher in pushers:
        for tag, image in pusher.acknowledged:
            got = registry("GET", f"/v2/app/manifests/{tag}", headers={"Accept": "*/*"}).expect(200)
            assert got.body == image.manifest, f"tag {tag}"
            registry.pull("app", image)
        for blob in pusher.blobs:
            registry("HEAD", f"/v2/app/blobs/{images.digest(blob)}").expect(200)
    for path in stored_files(server):
        if _OBJECT.search(path.as_posix()):
            digest = images.digest(path.read_bytes())
            assert digest in sent, f"{path} is no blob that anybody has sent"
        elif upload := _UUID.search(path.name):
            # What is left of an upload is there to be gone on with, or it is not there.
            answer = registry("GET", f"/v2/app/blobs/uploads/{upload.group()}")
            places = [p for pusher in pushers for p in pusher.uploads if upload.group() in p]
            assert places and answer.expect(204), f"{path} outlived the start, and nobody can resume it"
        else:
            assert not re.search(r"\.(tmp|temp|part|partial|new)\b|^tmp", path.name), f"{path} outlived the start"


@pytest.mark.parametrize("kills", [KILLS, pytest.param(KILLS_SLOW, marks=pytest.mark.slow)])
def test_killed_in_the_middle_of_pushes_again_and_again(tmp_path, kills):
    chance = random.Random(20260107)
    acknowledged = interrupted = 0
    sent = set()
    with Server(tmp_path / "berth") as server:
        server.root.create_repository("app")
        registry = server.root.raw()
        for kill in range(kills):
            pushers = [Pusher(registry, f"round{kill}-{n}") for n in range(PUSHERS)]
            for pusher in pushers:
                pusher.start()
            # Any moment will do, in every second round one after an image was acknowledged; the pushers' own deaths say
            # that it was in the middle.
            assert kill % 2 or pushers[0].has_pushed.wait(PUSH_S_MAX), "no image was acknowledged"
            pushers[0].join(timeout=chance.uniform(0.02, 0.6))
            server.kill()
            for pusher in pushers:
                pusher.join()
            interrupted += any(_UUID.fullmatch(path.name) for path in stored_files(server) if path.parent.name == "uploads")
            server.start()
            registry = server.root.raw()
            sent.update(*(pusher.sent for pusher in pushers))
            check(server, registry, pushers, sent)
            acknowledged += sum(len(pusher.acknowledged) for pusher in pushers)
    assert acknowledged >= kills // 2, f"only {acknowledged} images were ever acknowledged: this has shown nothing"
    assert interrupted, "no kill ever met an upload on its way: this has shown nothing"


def test_an_upload_cut_by_the_servers_death_goes_on(tmp_path):
    # Small uploads may be forgotten, for they are cheap to begin again; one of this size goes on.
    content = random.Random(7).randbytes(24 << 20)
    half = 20 << 20
    with Server(tmp_path / "berth") as server:
        server.root.create_repository("app")
        registry = server.root.raw()
        place = registry("PATCH", registry.start_upload("app"), content[:half]).expect(202).location
        server.kill()
        server.start()
        registry = server.root.raw()
        status = registry("GET", place).expect(204)
        assert status["Range"] == f"0-{half - 1}", "what was acknowledged is there"
        registry("PUT", with_query(status.location, digest=images.digest(content)), content[half:]).expect(201)
        assert registry("GET", f"/v2/app/blobs/{images.digest(content)}").expect(200).body == content


def test_users_policies_and_logins_outlive_a_kill(tmp_path):
    with Server(tmp_path / "berth") as server:
        root = server.root
        root.create_repository("app")
        alice = root.create_user("alice", policy(*push_and_pull("app")))
        registry = alice.raw()
        image = images.Image()
        registry.push("app", "v1", image).expect(201)
        server.kill()
        server.start()
        # The credentials file, the key and the login made before are all still good.
        assert server.root.credentials == root.credentials
        assert alice.sts.get_caller_identity()["Arn"] == alice.arn
        registry.pull("app", image)


def test_a_stop_lets_running_requests_finish(tmp_path):
    content = random.Random(8).randbytes(1_000_000)
    with Server(tmp_path / "berth") as server:
        server.root.create_repository("app")
        registry = server.root.raw()
        place = with_query(registry.start_upload("app"), digest=images.digest(content))
        connection = registry.connect()
        connection.putrequest("PUT", place)
        connection.putheader("Authorization", registry.login)
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders()
        connection.send(content[:500_000])
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        # New connections are refused, which shows that the stop has begun; the running request goes on.
        refused = False
        for _ in range(10_000):
            try:
                registry("GET", "/healthz").expect(200, 503)
            except OSError:
                refused = True
                break
        assert refused, "the server went on taking connections after SIGTERM"
        connection.send(content[500_000:])
        assert connection.getresponse().status == 201
        connection.close()
        stopping.join()
        server.start()
        assert server.root.raw()("GET", f"/v2/app/blobs/{images.digest(content)}").expect(200).body == content


def test_servers_of_two_databases_do_not_share_their_blobs(tmp_path):
    content = random.Random(9).randbytes(17 << 20)
    blobs = tmp_path / "blobs"
    with Server(tmp_path / "one", "--blobs", f"dir:{blobs}") as server:
        server.root.create_repository("app")
        registry = server.root.raw()
        place = registry("PATCH", registry.start_upload("app"), content[:-1]).expect(202).location
        # While the first one runs, and after it has stopped.
        for _ in range(2):
            other = Server(tmp_path / "two", "--blobs", f"dir:{blobs}")
            with pytest.raises(AssertionError, match="--blobs"):
                other.start()
            server.stop()
            server.start()
        registry = server.root.raw()
        registry("PUT", with_query(place, digest=images.digest(content)), content[-1:]).expect(201)


def test_one_sqlite_file_has_one_server_and_takes_commands(tmp_path):
    database = f"sqlite:{tmp_path / 'shared.db'}"
    with Server(tmp_path / "one", "--database", database) as server:
        key = (server.data / "master.key").read_text()
        second = Server(tmp_path / "two", "--database", database)
        second.data.mkdir(parents=True)
        (second.data / "master.key").write_text(key)
        (second.data / "master.key").chmod(0o600)
        with pytest.raises(AssertionError, match="another server runs on the database"):
            second.start()
        partner = server.create_account("444455556666")
        assert partner.sts.get_caller_identity()["Account"] == "444455556666"


def test_a_second_server_on_the_same_directory_is_refused(tmp_path):
    with Server(tmp_path / "berth") as server:
        second = Server(tmp_path / "berth")
        with pytest.raises(AssertionError, match="did not come up"):
            second.start()
        server.root.sts.get_caller_identity()
