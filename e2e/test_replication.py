"""Replication: to another region and another account of one server, with docker's protocol and boto3."""

import json
import time

import pytest

from berth import images
from berth.audit import events
from berth.people import failing
from berth.server import Server

#: The destination of most stories.
THERE = "eu-west-1"
#: Jobs run within seconds. The bound only ends a test that fails.
WITHIN_S = 60


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("replication")) as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


@pytest.fixture(scope="module")
def partner(berth):
    return berth.create_account("444455556666")


def in_region(person, region):
    """A client of ECR in another region."""
    return person.boto("ecr", region_name=region)


def rules(*destinations, prefixes=(), delete=None):
    rule = {"destinations": [{"region": region, "registryId": account} for account, region in destinations]}
    if prefixes:
        rule["repositoryFilters"] = [{"filter": one, "filterType": "PREFIX_MATCH"} for one in prefixes]
    if delete is not None:
        rule["deleteReplication"] = {"enabled": delete}
    return {"rules": [rule]}


def eventually(look):
    """What `look` answers once it is true."""
    end = time.monotonic() + WITHIN_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"still {found!r}"
        time.sleep(0.1)


def status(person, name, tag):
    """The statuses of an image, once none is in progress."""
    def over():
        found = person.ecr.describe_image_replication_status(repositoryName=name, imageId={"imageTag": tag})
        found = found["replicationStatuses"]
        return found if all(one["status"] != "IN_PROGRESS" for one in found) else None
    return eventually(over)


def tags_of(ecr, name):
    try:
        shown = ecr.describe_images(repositoryName=name)["imageDetails"]
    except ecr.exceptions.RepositoryNotFoundException:
        return None
    return {image["imageDigest"]: sorted(image.get("imageTags", [])) for image in shown}


def test_a_push_is_in_the_other_region(root, tmp_path):
    wanted = rules((root.account, THERE), prefixes=["prod"])
    put = root.aws("ecr", "put-replication-configuration", "--replication-configuration", json.dumps(wanted)).ok()
    assert json.loads(put.out)["replicationConfiguration"] == wanted
    # The CLI that is installed here does not know it yet.
    wanted["rules"][0]["deleteReplication"] = {"enabled": True}
    root.ecr.put_replication_configuration(replicationConfiguration=wanted)
    assert root.ecr.describe_registry()["replicationConfiguration"] == wanted
    there = in_region(root, THERE)
    there.create_repository_creation_template(
        prefix="prod", appliedFor=["REPLICATION"], imageTagMutability="IMMUTABLE")
    for name in ("prod/app", "dev/app"):
        root.create_repository(name)
    layout = images.umoci_layout(tmp_path / "image", "from here")
    root.skopeo.login()
    for reference in ("dev/app:v1", "prod/app:v1", "prod/app:v2"):
        root.skopeo.push(layout, reference).ok()
    for tag in ("v1", "v2"):
        assert status(root, "prod/app", tag) == [{"region": THERE, "registryId": root.account, "status": "COMPLETE"}]
    here = tags_of(root.ecr, "prod/app")
    assert eventually(lambda: tags_of(there, "prod/app") == here)
    assert tags_of(there, "dev/app") is None
    made = there.describe_repositories(repositoryNames=["prod/app"])["repositories"][0]
    assert made["imageTagMutability"] == "IMMUTABLE"
    done = events(root.server, eventName="ReplicateImage")
    assert done[0]["userIdentity"]["invokedBy"] == "replication.berth"
    # A deletion follows, since the rule says so: a tag of two, then the image.
    root.ecr.batch_delete_image(repositoryName="prod/app", imageIds=[{"imageTag": "v1"}])
    assert eventually(lambda: list(tags_of(there, "prod/app").values()) == [["v2"]])
    root.ecr.batch_delete_image(repositoryName="prod/app", imageIds=[{"imageTag": "v2"}])
    assert eventually(lambda: tags_of(there, "prod/app") == {})


def test_a_backfill_brings_what_was_there_before(root, tmp_path):
    there, region = "ap-south-1", {"region": "ap-south-1", "registryId": root.account}
    root.create_repository("old/app")
    layout = images.umoci_layout(tmp_path / "image", "from before")
    root.skopeo.login()
    for tag in ("v1", "v2"):
        root.skopeo.push(layout, f"old/app:{tag}").ok()
    failing(root.ecr.start_replication_backfill, "InvalidParameterException", destination=region)
    root.ecr.put_replication_configuration(replicationConfiguration=rules((root.account, there), prefixes=["old"]))
    started = root.ecr.start_replication_backfill(destination=region)
    assert started["status"] == "PREPARING"
    named = {"replicationBackfillId": started["replicationBackfillId"]}

    def ended():
        found = root.ecr.describe_replication_backfill_results(**named)
        return found if found["status"] not in ("PREPARING", "IN_PROGRESS") else None
    done = eventually(ended)
    assert done["status"] == "COMPLETE"
    assert done["progress"] == {"totalReplicationCount": 2, "completedReplicationCount": 2,
                                "failedReplicationCount": 0, "failureCodes": []}
    assert [one["imageId"]["imageTag"] for one in done["results"]] == ["v1", "v2"]
    assert tags_of(in_region(root, there), "old/app") == tags_of(root.ecr, "old/app")
    listed = root.ecr.list_replication_backfills()["backfills"]
    assert [one["replicationBackfillId"] for one in listed] == [named["replicationBackfillId"]]
    error = failing(root.ecr.stop_replication_backfill, "ReplicationBackfillInvalidStatusException", **named)
    assert "COMPLETE" in error["Message"]
    asked = events(root.server, eventName="StartReplicationBackfill")
    assert asked[-1]["responseElements"]["replicationBackfillId"] == named["replicationBackfillId"]


def test_another_account_decides_by_its_registry_policy(root, partner, tmp_path):
    root.ecr.put_replication_configuration(replicationConfiguration=rules((partner.account, "us-east-1"), prefixes=["shared"]))
    root.create_repository("shared/app")
    layout = images.umoci_layout(tmp_path / "image", "for the partner")
    root.skopeo.login()
    root.skopeo.push(layout, "shared/app:v1").ok()
    allowed = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{root.account}:root"},
        "Action": ["ecr:ReplicateImage", "ecr:CreateRepository"],
        "Resource": f"arn:aws:ecr:us-east-1:{partner.account}:repository/shared/*"}]}
    # Refused at first, and tried again.
    assert tags_of(partner.ecr, "shared/app") is None
    partner.ecr.put_registry_policy(policyText=json.dumps(allowed))
    assert eventually(lambda: tags_of(partner.ecr, "shared/app") == tags_of(root.ecr, "shared/app"))
    assert status(root, "shared/app", "v1")[0]["status"] == "COMPLETE"


def test_what_cannot_be_configured(root):
    for region, message in [("us-east-1", "cannot be the same as the source registry"), ("cn-north-1", "Invalid region")]:
        error = failing(root.ecr.put_replication_configuration, "InvalidParameterException",
                        replicationConfiguration=rules((root.account, region)))
        assert message in error["Message"]
    root.ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    assert root.ecr.describe_registry()["replicationConfiguration"] == {"rules": []}
