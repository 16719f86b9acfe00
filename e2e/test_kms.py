"""Repositories that are encrypted under a key: the AWS CLI makes the key, docker's protocol pushes and pulls."""

import json

import pytest

from berth import images
from berth.audit import events
from berth.people import failing
from berth.policies import allow, policy, push_and_pull
from berth.server import Server

#: A part of the layer's bytes that is looked for on the disk.
PART_BYTES = 64


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("kms")) as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


def kms(person, *arguments):
    """The answer of an AWS CLI command."""
    out = person.aws("kms", *arguments).ok().out
    return json.loads(out) if out.strip() else None


def make_key(root, alias):
    key = kms(root, "create-key", "--description", alias, "--tags", "TagKey=team,TagValue=red")["KeyMetadata"]
    kms(root, "create-alias", "--alias-name", f"alias/{alias}", "--target-key-id", key["KeyId"])
    return key


def encrypted(person, name, key):
    setting = {"encryptionType": "KMS"} | ({"kmsKey": key} if key else {})
    return person.ecr.create_repository(repositoryName=name, encryptionConfiguration=setting)["repository"]


def on_disk(berth, content):
    """Whether the data directory has a part of the content in clear."""
    part = content[len(content) // 2:][:PART_BYTES]
    return any(part in file.read_bytes() for file in berth.data.rglob("*") if file.is_file())


def test_a_key_and_an_encrypted_repository(berth, root):
    key = make_key(root, "app")
    assert (key["KeyState"], key["KeyManager"], key["Origin"]) == ("Enabled", "CUSTOMER", "AWS_KMS")
    shown = encrypted(root, "secret/app", "alias/app")
    assert shown["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    root.create_repository("open/app")
    image = images.Image(layer_bytes=300_000)
    root.raw().push("secret/app", "v1", image)
    assert not on_disk(berth, image.layer)
    root.raw().pull("secret/app", image)
    # A part, whose bytes stand in the middle of a record.
    part = root.raw()("GET", f"/v2/secret/app/blobs/{images.digest(image.layer)}", headers={"Range": "bytes=70000-140000"})
    assert (part.status, part.body) == (206, image.layer[70000:140001])
    # A layer is not mounted out of the key; clients upload it then.
    mount = f"/v2/open/app/blobs/uploads/?mount={images.digest(image.layer)}&from=secret/app"
    assert root.raw()("POST", mount).status == 202
    root.raw().push("open/app", "v1", image)
    assert on_disk(berth, image.layer)
    root.raw().pull("open/app", image)


def test_docker_pushes_and_pulls_after_a_restart(berth, root):
    make_key(root, "docker")
    encrypted(root, "docker/app", "alias/docker")
    root.docker.login()
    message = root.docker.build("docker/app:v1")
    root.docker.push("docker/app:v1").ok()
    berth.stop()
    berth.start()
    root.docker.pull("docker/app:v1").ok()
    assert root.docker.message("docker/app:v1") == message


def test_without_a_key_of_its_own_a_repository_has_that_of_ecr(root):
    shown = encrypted(root, "default/app", None)["encryptionConfiguration"]
    key = kms(root, "describe-key", "--key-id", "alias/aws/ecr")["KeyMetadata"]
    assert shown == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    assert key["KeyManager"] == "AWS"
    root.aws("kms", "schedule-key-deletion", "--key-id", key["KeyId"]).failed("UnsupportedOperationException")


def test_a_disabled_key_closes_its_repositories(root):
    key = make_key(root, "switch")["KeyId"]
    encrypted(root, "switch/app", "alias/switch")
    image = images.Image()
    root.raw().push("switch/app", "v1", image)
    kms(root, "disable-key", "--key-id", key)
    root.raw()("GET", f"/v2/switch/app/blobs/{images.digest(image.layer)}").error(403, "DENIED", "is disabled")
    root.raw()("POST", "/v2/switch/app/blobs/uploads/").error(403, "DENIED", "is disabled")
    refused = failing(root.ecr.initiate_layer_upload, "KmsException", repositoryName="switch/app")
    assert "is disabled" in refused["Message"]
    failing(root.ecr.create_repository, "KmsException", repositoryName="switch/other",
            encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/switch"})
    kms(root, "enable-key", "--key-id", key)
    root.raw().pull("switch/app", image)


def test_a_key_is_not_deleted_while_a_repository_uses_it(root):
    key = make_key(root, "kept")
    encrypted(root, "kept/app", key["KeyId"])
    schedule = ["schedule-key-deletion", "--key-id", key["KeyId"], "--pending-window-in-days", "7"]
    root.aws("kms", *schedule).failed("KMSInvalidStateException", "'kept/app'")
    root.ecr.delete_repository(repositoryName="kept/app", force=True)
    done = kms(root, *schedule)
    assert (done["KeyState"], done["PendingWindowInDays"]) == ("PendingDeletion", 7)
    failing(root.ecr.create_repository, "KmsException", repositoryName="kept/app",
            encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key["Arn"]})
    kms(root, "cancel-key-deletion", "--key-id", key["KeyId"])
    assert kms(root, "describe-key", "--key-id", key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"


def test_iam_and_the_key_policy_decide_who_uses_a_key(root):
    key = make_key(root, "guarded")
    create = allow(["ecr:CreateRepository"], "*")
    use = allow(["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], key["Arn"])
    pusher = root.create_user("pusher", policy(create, *push_and_pull("guarded/app")))
    setting = {"encryptionType": "KMS", "kmsKey": "alias/guarded"}
    refused = failing(pusher.ecr.create_repository, "AccessDeniedException", repositoryName="guarded/app", encryptionConfiguration=setting)
    assert "kms:CreateGrant" in refused["Message"]
    maker = root.create_user("maker", policy(create, use))
    maker.ecr.create_repository(repositoryName="guarded/app", encryptionConfiguration=setting)
    # Who pushes and pulls needs no permission on the key.
    image = images.Image()
    pusher.raw().push("guarded/app", "v1", image)
    pusher.raw().pull("guarded/app", image)
    failing(maker.boto("kms").disable_key, "AccessDeniedException", KeyId=key["KeyId"])
    # The key policy denies what IAM allows.
    document = json.loads(kms(root, "get-key-policy", "--key-id", key["KeyId"], "--policy-name", "default")["Policy"])
    document["Statement"].append({"Effect": "Deny", "Principal": {"AWS": maker.arn}, "Action": "kms:*", "Resource": "*"})
    kms(root, "put-key-policy", "--key-id", key["KeyId"], "--policy-name", "default", "--policy", json.dumps(document))
    failing(maker.ecr.create_repository, "AccessDeniedException", repositoryName="guarded/other", encryptionConfiguration=setting)
    done = events(root.server, eventName="PutKeyPolicy")[-1]
    assert done["eventSource"] == "kms.amazonaws.com"


def test_an_alias_is_moved_by_who_may_do_so_on_both_keys(root):
    held, own = make_key(root, "held"), make_key(root, "own")
    alias = held["Arn"].split(":key/")[0] + ":alias/held"
    move = {"AliasName": "alias/held", "TargetKeyId": own["KeyId"]}
    taker = root.create_user("taker", policy(allow(["kms:UpdateAlias"], [alias, own["Arn"]])))
    refused = failing(taker.boto("kms").update_alias, "AccessDeniedException", **move)
    assert held["Arn"] in refused["Message"]
    owner = root.create_user("owner", policy(allow(["kms:UpdateAlias"], [alias, own["Arn"], held["Arn"]])))
    owner.boto("kms").update_alias(**move)
    assert kms(root, "describe-key", "--key-id", "alias/held")["KeyMetadata"]["KeyId"] == own["KeyId"]


def test_rotation(root):
    key = make_key(root, "rotated")["KeyId"]
    kms(root, "enable-key-rotation", "--key-id", key, "--rotation-period-in-days", "180")
    status = kms(root, "get-key-rotation-status", "--key-id", key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 180)
    kms(root, "disable-key-rotation", "--key-id", key)
    assert kms(root, "get-key-rotation-status", "--key-id", key)["KeyRotationEnabled"] is False
