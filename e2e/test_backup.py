"""Backups while clients push, delete and a collection runs; restored elsewhere, on either database, and pulled there."""

import base64
import json
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from berth import images
from berth.audit import events
from berth.backups import Restored, done, everything, pulls, refused, taken
from berth.people import Credentials, Person, failing
from berth.policies import policy, push_and_pull
from berth.raw import fetch
from berth.server import Server, _environment, binary

DENIED = "berth:StartBackup"


def fill(root):
    root.create_repository("app")
    root.create_repository("web", imageTagMutability="IMMUTABLE")
    # Under a key of KMS: what is copied is what is on the disk, encrypted.
    root.create_repository("sealed", encryptionConfiguration={"encryptionType": "KMS"})
    shared = images.Image(layer_bytes=100_000)
    for repository in ("app", "web", "sealed"):
        root.raw().push(repository, "shared", shared).expect(201)
    for number in range(5):
        root.raw().push("app", f"v{number}", images.Image(layer_bytes=50_000)).expect(201)
    root.create_user("alice", policy(*push_and_pull("app")))


@pytest.mark.parametrize("source, target", [("sqlite", "sqlite"), ("postgres", "sqlite"), ("sqlite", "postgres"),
                                            ("postgres", "postgres")])
def test_all_comes_back_elsewhere(tmp_path, source, target, request):
    fixtures = {"postgres": ["postgres", "another_postgres"], "sqlite": [None, None]}
    names = [fixtures[source][0], fixtures[target][1]]
    options = [("--database", request.getfixturevalue(name)) if name else () for name in names]
    backups = tmp_path / "backups"
    with Server(tmp_path / "old", "--backup-dir", backups, *options[0]) as berth:
        root = berth.root
        fill(root)
        first = taken(root)
        assert (first["status"], first["newBlobCount"], first["faultCount"]) == ("COMPLETE", first["blobCount"], 0)
        again = taken(root)
        assert (again["newBlobCount"], again["blobCount"]) == (0, first["blobCount"])
        before = everything(root)
        password = root.password
        session = root.sts.get_session_token()["Credentials"]
        ended = events(berth, eventName="EndBackup")
        assert ended and ended[0]["serviceEventDetails"]["status"] == "COMPLETE"
        new = Restored(tmp_path / "new", berth, *options[1])
    assert new.restore(backups).returncode == 0
    assert new.restore(backups).returncode == 1, "it is not empty any more"
    with new:
        root = new.root
        assert everything(root) == before
        pulls(root, before)
        # What was given out before is over.
        old = Person(new, "old", Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]),
                     root.account, root.arn)
        with pytest.raises(Exception, match="InvalidClientTokenId"):
            old.sts.get_caller_identity()
        login = base64.b64encode(f"AWS:{password}".encode()).decode()
        raw = root.raw()
        status = raw("GET", "/v2/", headers={"Authorization": f"Basic {login}"}, login=False).status
        assert status in (401, 403), status
        review = done("restore", "review", "--data", new.data, *new._database())
        assert "user arn:aws:iam::123456789012:user/alice" in review and "access key" in review


def test_a_backup_while_clients_push_and_delete_and_a_collection_runs(tmp_path):
    backups = tmp_path / "backups"
    with Server(tmp_path / "old", "--backup-dir", backups, "--collect-after", "1") as berth:
        root = berth.root
        root.create_repository("app")
        root.create_repository("kept")
        for number in range(20):
            root.raw().push("kept", f"v{number}", images.Image(layer_bytes=20_000)).expect(201)
        stop = threading.Event()
        failures = []

        def churn(seed):
            try:
                raw, chance, number = root.raw(), random.Random(seed), 0
                while not stop.is_set():
                    number += 1
                    tag = f"c{seed}-{number}"
                    raw.push("app", tag, images.Image(layer_bytes=chance.randrange(1_000, 30_000))).expect(201)
                    if chance.random() < 0.6:
                        root.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": tag}])
            except Exception as error:
                failures.append(error)

        writers = [threading.Thread(target=churn, args=(seed,)) for seed in range(4)]
        for writer in writers:
            writer.start()
        counts = []
        for _ in range(4):
            backup = taken(root)
            assert (backup["status"], backup["faultCount"]) == ("COMPLETE", 0)
            counts.append(backup["newBlobCount"])
        stop.set()
        for writer in writers:
            writer.join()
        assert not failures, failures
        assert counts[1] < counts[0] + 1_000
        new = [Restored(tmp_path / f"new{n}", berth) for n in range(2)]
    ids = [json.loads(line)["id"] for line in done("backup", "list", "--from", backups, "--output", "json").splitlines()]
    assert len(ids) == 4
    assert done("backup", "verify", "--from", backups, "--master-key-file", berth.data / "master.key").count(" whole: ") == 4
    for server, backup in zip(new, (ids[0], ids[-1])):
        ended = server.restore(backups, "--backup", backup)
        assert ended.returncode == 0, ended.stderr
        with server:
            pulls(server.root, everything(server.root))
    # The older ones go, and what the newest names stays.
    done("backup", "prune", "--from", backups, "--keep", 1)
    assert " whole: " in done("backup", "verify", "--from", backups)


def test_a_restored_server_rests_until_it_is_told_to_go_on(tmp_path):
    backups = tmp_path / "backups"
    with Server(tmp_path / "old", "--backup-dir", backups) as berth:
        root = berth.root
        root.create_repository("app")
        root.raw().push("app", "v1", images.Image(layer_bytes=300_000)).expect(201)
        root.raw().push("app", "v2", images.Image(layer_bytes=1_000)).expect(201)
        root.ecr.put_lifecycle_policy(repositoryName="app", lifecyclePolicyText=json.dumps({"rules": [{
            "rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"}}]}))
        root.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])
        taken(root)
        new = Restored(tmp_path / "new", berth, "--collect-after", "1")
    assert new.restore(backups).returncode == 0
    with new:
        root = new.root
        stored = lambda: sum(file.stat().st_size for file in (new.data / "blobs" / "blobs").rglob("*") if file.is_file())
        full = stored()
        status, _, text = fetch(f"{new.url}/readyz?for=write")
        assert status == 200 and "berth restore finish" in text
        assert "berth restore finish" in new.words()
        root.run(binary(), "gc").failed("rests")
        time.sleep(6)
        assert stored() == full
        other = new.create_account("444455556666")
        other.run(binary(), "restore", "finish").failed(f"callers of the account {root.account} only")
        assert "is finished" in root.run(binary(), "restore", "finish").out
        assert "goes on already" in root.run(binary(), "restore", "finish").out
        end = time.monotonic() + 90
        while stored() > full - 250_000:
            assert time.monotonic() < end, "the collection does not go on"
            time.sleep(0.2)
        assert fetch(f"{new.url}/readyz")[2] == "ok\n"


def test_who_may_take_one(tmp_path):
    with Server(tmp_path / "one", "--backup-dir", tmp_path / "backups") as berth:
        root = berth.root
        user = root.create_user("pusher", policy(*push_and_pull("web")))
        user.run(binary(), "backup").failed(DENIED, "no identity-based policy allows")
        other = berth.create_account("444455556666")
        other.run(binary(), "backup").failed(f"callers of the account {root.account} only")
        refused("backup", "--data", berth.data, "--to", tmp_path / "other", words="another server")
    with Server(tmp_path / "two") as berth:
        berth.root.run(binary(), "backup").failed("--backup-dir")


def test_no_key_and_no_secret_is_in_a_backup(tmp_path):
    backups = tmp_path / "backups"
    with Server(tmp_path / "old", "--backup-dir", backups) as berth:
        root = berth.root
        fill(root)
        alice = root.create_user("bob")
        root.boto("secretsmanager").create_secret(
            Name="ecr-pullthroughcache/hub", SecretString='{"username":"u","accessToken":"hush-hush-token"}')
        taken(root)
        text = (berth.data / "master.key").read_text().strip()
        secrets = [text.encode(), bytes.fromhex(text), base64.b64encode(bytes.fromhex(text)),
                   root.credentials.secret_access_key.encode(), alice.credentials.secret_access_key.encode(),
                   b"hush-hush-token", b"aws_secret_access_key"]
        secrets += [base64.b64encode(secret) for secret in secrets]
        searched = 0
        for file in backups.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                searched += len(content)
                assert not [secret for secret in secrets if secret in content], file
        assert searched > 100_000


def test_another_key_a_full_directory_and_a_killed_restore(tmp_path):
    backups = tmp_path / "backups"
    with Server(tmp_path / "old", "--backup-dir", backups) as berth:
        root = berth.root
        fill(root)
        taken(root)
        before = everything(root)
        new = Restored(tmp_path / "new", berth)
    other = tmp_path / "other"
    other.mkdir()
    key = other / "master.key"
    key.write_text("00" * 32)
    key.chmod(0o600)
    refused("restore", "--from", backups, "--data", other, words="the master key is not the one")
    assert not (other / "berth.db").exists() and not (other / "blobs").exists()
    refused("restore", "--from", backups, "--data", tmp_path / "none", words="there is no master key")
    refused("restore", "--from", backups, "--data", berth.data, words="is not empty")
    # Killed at any time: no server starts on what there is, and the restore begins again.
    cut = 0
    for attempt in range(12):
        shutil.rmtree(new.data, ignore_errors=True)
        new.data.mkdir(parents=True)
        shutil.copy(new.key, new.data / "master.key")
        restoring = subprocess.Popen([binary(), "restore", "--from", backups, "--data", new.data],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment())
        time.sleep(0.02 + attempt * 0.04)
        restoring.send_signal(signal.SIGKILL)
        restoring.wait()
        if (new.data / "restoring").exists():
            cut += 1
            refused("serve", "--data", new.data, "--listen", "127.0.0.1:0", words="did not finish")
        if (new.data / "restoring").exists() or not (new.data / "berth.db").exists():
            ended = new.restore(backups)
            assert ended.returncode == 0, ended.stderr
        new._listen = "127.0.0.1:0"
        if attempt in (0, 5, 11):
            with new:
                assert everything(new.root) == before
    assert cut > 0, "no restore was cut in the middle"
    with new:
        pulls(new.root, before)


def test_a_killed_server_goes_on_with_its_backup(tmp_path):
    backups = tmp_path / "backups"
    berth = Server(tmp_path / "old", "--backup-dir", backups)
    with berth:
        root = berth.root
        fill(root)
        for number in range(60):
            root.raw().push("app", f"n{number}", images.Image(layer_bytes=2_000)).expect(201)
        client = root.boto("sts")
        assert client.get_caller_identity()["Account"] == root.account
        for attempt in range(6):
            begun = subprocess.Popen([binary(), "backup"], env=root.environment, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(0.1 + attempt * 0.3)
            berth.kill()
            begun.kill()
            begun.wait()
            whole = done("backup", "verify", "--from", backups) if (backups / "berth-backups").exists() else ""
            assert "DAMAGED" not in whole
            berth.start()
        # The job's lease ends within a minute.
        end = time.monotonic() + 150
        while True:
            lines = [json.loads(line) for line in
                     root.run(binary(), "backup", "list", "--output", "json").out.splitlines()]
            if lines and all(line["status"] != "RUNNING" for line in lines):
                break
            assert time.monotonic() < end, lines
            time.sleep(1)
        assert taken(root)["status"] == "COMPLETE"
        assert list((backups / "unfinished").iterdir()) == []
    assert "DAMAGED" not in done("backup", "verify", "--from", backups)


def test_skopeo_pulls_from_a_restored_server(tmp_path, layouts):
    backups = tmp_path / "backups"
    with Server(tmp_path / "old", "--backup-dir", backups) as berth:
        root = berth.root
        root.create_repository("built")
        image = images.Image(layer_bytes=70_000)
        root.raw().push("built", "v1", image).expect(201)
        new = Restored(tmp_path / "new", berth)
    # Of a stopped server too, to the same directory: nothing is copied.
    line = json.loads(done("backup", "--data", berth.data, "--to", backups, "--output", "json"))
    assert line["blobCount"] == line["newBlobCount"] == 2
    assert json.loads(done("backup", "--data", berth.data, "--to", backups, "--output", "json"))["newBlobCount"] == 0
    assert new.restore(backups).returncode == 0
    with new:
        root = new.root
        root.skopeo.login()
        root.skopeo.pull("built:v1", f"oci:{layouts}/restored:v1").ok()
        failing(root.ecr.describe_images, "ImageNotFoundException", repositoryName="built",
                imageIds=[{"imageTag": "v2"}])
