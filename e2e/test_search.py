"""Search: what docker and crane pushed is found by name, tag, digest, label, platform and pusher, by who may read it."""

import json

import pytest

from berth import images
from berth.policies import allow, policy, push_and_pull
from berth.service import berth_command


def found(person, *query):
    lines = berth_command(person, "search", *query, "--output", "json").ok().out.splitlines()
    return [json.loads(line) for line in lines]


def names(person, *query):
    return sorted({result["repositoryName"] for result in found(person, *query)})


@pytest.fixture(scope="module")
def pushed(root, tmp_path_factory):
    """Two repositories with an image each, which alice pushed with docker."""
    for name in ("team/payments", "team/secret"):
        root.create_repository(name)
    alice = root.create_user("alice", policy(*push_and_pull("team/payments", "team/secret"),
                                             allow(["berth:SearchImages", "ecr:DescribeImages"], "*")))
    alice.docker.login()
    for name in ("team/payments", "team/secret"):
        context = images.context(tmp_path_factory.mktemp("build") / "image", name)
        alice.docker("build", "--quiet", "--label", "squad=blue-whale", "--tag", alice.image(f"{name}:v1"), context).ok()
        alice.docker.push(f"{name}:v1").ok()
    return alice


def test_each_condition_finds_what_was_pushed(pushed):
    digest = found(pushed, "tag:v1", "repository:team/pay")[0]["imageDigest"]
    for query in ([digest], [digest[7:19]], ["payments"], ["pushed-by:" + pushed.arn, "repository:team/p"]):
        assert names(pushed, *query) == ["team/payments"], query
    for query in (["v1"], ["whale"], ["label:squad=blue-whale"], ["label:squad"], ["platform:linux/amd64"], ["after:2020-01-01"]):
        assert names(pushed, *query) == ["team/payments", "team/secret"], query
    for query in (["nothing"], ["label:squad=red"], ["platform:plan9/mips"], ["before:2020-01-01"]):
        assert names(pushed, *query) == [], query
    text = berth_command(pushed, "search", "payments").ok().out
    assert text.startswith("REPOSITORY") and "team/payments" in text
    berth_command(pushed, "search", "before:yesterday").failed("is no time")


def test_a_new_tag_is_found_at_once_and_a_deleted_one_is_not(pushed, root):
    pushed.crane.login()
    pushed.crane("tag", pushed.image("team/payments:v1"), "hotfix-7").ok()
    assert names(pushed, "hotfix") == ["team/payments"]
    root.ecr.batch_delete_image(repositoryName="team/payments", imageIds=[{"imageTag": "hotfix-7"}])
    assert names(pushed, "hotfix") == []


def test_what_may_not_be_read_is_not_found(pushed, root):
    reader = root.create_user("reader", policy(
        allow("berth:SearchImages", "*"),
        allow(["ecr:DescribeImages", "ecr:BatchGetImage"], root.repository_arn("team/payments"))))
    for query in ("v1", "team", "whale"):
        assert names(reader, query) == ["team/payments"], query
    lister = root.create_user("lister", policy(
        allow(["berth:SearchImages", "ecr:DescribeImages"], "*")))
    assert names(lister, "whale") == [], "a label is the image's content"
    nobody = root.create_user("nobody", policy(allow("ecr:*", "*")))
    berth_command(nobody, "search", "v1").failed("berth:SearchImages")
