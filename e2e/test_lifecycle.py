"""Lifecycle policies and storage classes with the AWS CLI, boto3 and docker: preview, put, expiry, archive, restore.

The server's clock is moved, so that images grow old while nothing waits.
"""

import json
import time

import pytest

from berth import audit, images
from berth.clock import Clock
from berth.people import failing
from berth.server import Server
from berth.service import MODEL
from berth.waiting import until

DAY = 24 * 60


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def berth(tmp_path_factory, clock):
    with Server(tmp_path_factory.mktemp("lifecycle"), environment=clock.environment) as server:
        yield server


@pytest.fixture(autouse=True)
def right_again(clock):
    yield
    clock.off()


def rule(priority, tag_status, kind, number, action="expire", **more):
    selection = {"tagStatus": tag_status, "countType": kind, "countNumber": number, **more}
    if kind != "imageCountMoreThan":
        selection["countUnit"] = "days"
    made = {"type": action} | ({"targetStorageClass": "archive"} if action == "transition" else {})
    return {"rulePriority": priority, "description": "a rule of a story", "selection": selection, "action": made}


def policy(*rules):
    return json.dumps({"rules": rules})


def tags(person, repository, status="ACTIVE"):
    listed = person.ecr.list_images(repositoryName=repository, filter={"imageStatus": status, "tagStatus": "TAGGED"})
    return sorted(image["imageTag"] for image in listed["imageIds"])


def test_a_policy_is_previewed_put_and_read_with_the_aws_cli(root):
    root.create_repository("previewed")
    for tag in ("v1", "v2", "v3"):
        root.raw().push("previewed", tag, images.Image()).expect(201)
    named = ("--repository-name", "previewed")
    text = policy(rule(1, "any", "imageCountMoreThan", 2))
    root.aws("ecr", "get-lifecycle-policy", *named).failed("(LifecyclePolicyNotFoundException)")
    root.aws("ecr", "start-lifecycle-policy-preview", *named).failed("(LifecyclePolicyNotFoundException)")
    started = root.aws("ecr", "start-lifecycle-policy-preview", *named, "--lifecycle-policy-text", text).json
    assert started["status"] == "IN_PROGRESS"
    root.aws("ecr", "wait", "lifecycle-policy-preview-complete", *named).ok()
    preview = root.aws("ecr", "get-lifecycle-policy-preview", *named).json
    assert preview["summary"] == {"expiringImageTotalCount": 1}
    result, = preview["previewResults"]
    assert (result["imageTags"], result["action"], result["appliedRulePriority"], result["storageClass"]) == (
        ["v1"], {"type": "EXPIRE"}, 1, "STANDARD")
    assert tags(root, "previewed") == ["v1", "v2", "v3"]
    put = root.aws("ecr", "put-lifecycle-policy", *named, "--lifecycle-policy-text", text).json
    assert put["lifecyclePolicyText"] == text and "lastEvaluatedAt" not in put
    until(lambda: tags(root, "previewed") == ["v2", "v3"])
    read = root.aws("ecr", "get-lifecycle-policy", *named).json
    assert read["lifecyclePolicyText"] == text and read["lastEvaluatedAt"]
    event, *_ = audit.events(root.server, eventName="PolicyExecutionEvent",
                             where=lambda e: e["serviceEventDetails"]["repositoryName"] == "previewed")
    resource, = event["resources"]
    assert resource["ARN"] == root.repository_arn("previewed")
    acted, = event["serviceEventDetails"]["lifecycleEventImageActions"]
    assert acted["lifecycleEventImage"]["tagList"] == ["v1"] and event["eventType"] == "AwsServiceEvent"
    root.aws("ecr", "delete-lifecycle-policy", *named).ok()
    root.aws("ecr", "put-lifecycle-policy", *named, "--lifecycle-policy-text",
             policy(rule(1, "any", "imageCountMoreThan", 2), rule(1, "untagged", "imageCountMoreThan", 2))).failed(
        "(InvalidParameterException)",
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        "'Lifecycle policy validation failure: Duplicate priority in multiple rules'")


def test_docker_pushes_expire_older_images(root):
    root.create_repository("pushed")
    root.docker.login()
    for tag in ("v1", "v2"):
        root.docker.build(f"pushed:{tag}")
        root.docker.push(f"pushed:{tag}").ok()
    root.ecr.put_lifecycle_policy(repositoryName="pushed", lifecyclePolicyText=policy(
        rule(1, "tagged", "imageCountMoreThan", 1, tagPatternList=["v*"])))
    until(lambda: tags(root, "pushed") == ["v2"])
    root.docker.pull("pushed:v1").failed("not found")
    root.docker.pull("pushed:v2").ok()


def test_an_archived_image_is_restored_by_the_api_and_by_a_push(root):
    root.create_repository("archive")
    root.docker.login()
    root.docker.build("archive:v1")
    root.docker.push("archive:v1").ok()
    named = ("--repository-name", "archive")
    update = ("ecr", "update-image-storage-class", *named, "--image-id", "imageTag=v1", "--target-storage-class")
    assert root.aws(*update, "ARCHIVE").json["imageStatus"] == "ARCHIVED"
    root.docker.pull("archive:v1").failed("not found")
    failures = root.ecr.batch_get_image(repositoryName="archive", imageIds=[{"imageTag": "v1"}])["failures"]
    assert [failure["failureCode"] for failure in failures] == ["ImageInaccessible"]
    assert tags(root, "archive") == [] and tags(root, "archive", "ARCHIVED") == ["v1"] == tags(root, "archive", "ANY")
    described, = root.ecr.describe_images(repositoryName="archive", imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert described["imageStatus"] == "ARCHIVED" and described["lastArchivedAt"]
    assert root.aws(*update, "STANDARD").json["imageStatus"] == "ACTIVATING"
    until(lambda: tags(root, "archive") == ["v1"])
    root.docker.pull("archive:v1").ok()
    described, = root.ecr.describe_images(repositoryName="archive")["imageDetails"]
    assert described["imageStatus"] == "ACTIVE" and described["lastActivatedAt"]
    root.aws(*update, "ARCHIVE").ok()
    root.docker.push("archive:v1").ok()
    assert tags(root, "archive") == ["v1"]
    assert len(audit.events(root.server, at_least=2, eventName="ImageActivationEvent")) == 2


def test_only_who_may_put_a_policy_puts_one(root):
    root.create_repository("closed")
    user = root.create_user("reader")
    text = policy(rule(1, "any", "imageCountMoreThan", 1))
    for call, more in ((user.ecr.put_lifecycle_policy, {"lifecyclePolicyText": text}),
                       (user.ecr.start_lifecycle_policy_preview, {"lifecyclePolicyText": text}),
                       (user.ecr.get_lifecycle_policy, {}),
                       (user.ecr.update_image_storage_class,
                        {"imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE"})):
        failing(call, "AccessDeniedException", repositoryName="closed", **more)


def later(person, clock, *arguments):
    """The AWS CLI at the server's time."""
    return person.run("aws", *arguments, env={"AWS_DEFAULT_OUTPUT": "json"} | clock.environment).json


def tags_later(person, clock, repository):
    listed = later(person, clock, "ecr", "list-images", "--repository-name", repository)
    return sorted(image["imageTag"] for image in listed["imageIds"])


def test_images_expire_when_they_are_old(root, clock):
    root.create_repository("aging")
    root.raw().push("aging", "v1", images.Image()).expect(201)
    root.ecr.put_lifecycle_policy(repositoryName="aging", lifecyclePolicyText=policy(
        rule(1, "any", "sinceImagePushed", 14)))
    evaluated = lambda: root.ecr.get_lifecycle_policy(repositoryName="aging")["lastEvaluatedAt"].timestamp()  # noqa: E731
    until(lambda: evaluated() > 0)
    assert tags(root, "aging") == ["v1"]
    clock.off(15 * DAY)
    until(lambda: tags_later(root, clock, "aging") == [])


def test_images_that_are_pulled_and_protected_tags_stay(root, clock):
    root.create_repository("kept")
    for tag in ("release-1", "pulled", "old"):
        root.raw().push("kept", tag, images.Image()).expect(201)
    root.aws("configure", "add-model", "--service-name", "berth", "--service-model", f"file://{MODEL}").ok()
    named = ("--repository-name", "kept")
    options = ("--pulled-within-days", "30", "--protected-tag-patterns", "release-*")
    set_to = root.aws("berth", "put-lifecycle-options", *named, *options, "--dry-run").json["options"]
    assert set_to == {"pulledWithinDays": 30, "protectedTagPatterns": ["release-*"], "dryRun": True}
    root.ecr.put_lifecycle_policy(repositoryName="kept", lifecyclePolicyText=policy(
        rule(1, "any", "sinceImagePushed", 14)))
    root.raw()("GET", "/v2/kept/manifests/pulled", headers={"Accept": images.OCI_MANIFEST}).expect(200)
    clock.off(20 * DAY)

    def reported():
        asked = root.run("aws", "ecr", "get-lifecycle-policy-preview", *named,
                         env={"AWS_DEFAULT_OUTPUT": "json"} | clock.environment).seen()
        if asked.code != 0:
            asked.failed("(LifecyclePolicyPreviewNotFoundException)")
            return False
        preview = asked.json
        return [result["imageTags"] for result in preview["previewResults"]] == [["old"]]

    until(reported)
    assert tags_later(root, clock, "kept") == ["old", "pulled", "release-1"]
    later(root, clock, "berth", "put-lifecycle-options", *named, *options)
    until(lambda: tags_later(root, clock, "kept") == ["pulled", "release-1"])
