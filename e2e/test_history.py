"""Tag history: docker and crane move tags as users and as a role's session, and `berth tag` lists and restores."""

import json
import secrets

import pytest

from berth import images
from berth.policies import allow, policy, push_and_pull
from berth.service import berth_command


@pytest.fixture(scope="module")
def alice(root):
    root.create_repository("app")
    return root.create_user("alice", policy(*push_and_pull("app"), allow("ecr:BatchDeleteImage", "*"),
                                            allow(["berth:ListTagHistory", "berth:RestoreTag"], "*")))


def lines(outcome):
    return [json.loads(line) for line in outcome.ok().out.splitlines()]


def build(person, directory, reference):
    """Builds an image with docker, pushes it, and answers what it says."""
    message = secrets.token_hex(8)
    person.docker("build", "--quiet", "--tag", person.image(reference), images.context(directory, message)).ok()
    person.docker.push(reference).ok()
    return message


def test_a_bad_push_is_found_and_taken_back(root, alice, tmp_path):
    alice.docker.login()
    good = build(alice, tmp_path / "good", "app:v1")
    build(alice, tmp_path / "bad", "app:v1")
    newest, oldest = lines(berth_command(alice, "tag", "history", "app:v1", "--output", "json"))
    assert (newest["eventType"], newest["method"]) == ("MOVED", "PUSH")
    assert (oldest["eventType"], oldest["method"]) == ("CREATED", "PUSH")
    assert newest["previousImageDigest"] == oldest["imageDigest"] != newest["imageDigest"]
    assert newest["principalArn"] == alice.arn and oldest["imageExists"]

    restored = berth_command(alice, "tag", "restore", "app:v1", oldest["imageDigest"]).ok().out
    assert restored.split()[2] == oldest["imageDigest"]
    alice.docker("rmi", alice.image("app:v1")).ok()
    alice.docker.pull("app:v1").ok()
    shown = alice.docker("run", "--rm", "--network", "none", alice.image("app:v1"), "cat", images.MESSAGE)
    assert shown.ok().out.strip() == good
    text = berth_command(alice, "tag", "history", "app", "--latest", "1").ok().out
    assert "RESTORE" in text and alice.arn in text and len(text.splitlines()) == 1


def test_crane_retags_and_deletes(alice):
    alice.crane.login()
    alice.crane("tag", alice.image("app:v1"), "stable").ok()
    alice.crane("delete", alice.image("app:stable")).ok()
    deleted, tagged = lines(berth_command(alice, "tag", "history", "app:stable", "--output", "json"))
    assert (tagged["eventType"], tagged["method"]) == ("CREATED", "RETAG")
    assert (deleted["eventType"], deleted["method"], deleted["imageDigest"]) == ("DELETED", "DELETE", None)
    # By digest: of whichever tag.
    moves = lines(berth_command(alice, "tag", "history", "app", "--digest", tagged["imageDigest"], "--output", "json"))
    assert {move["imageTag"] for move in moves} == {"v1", "stable"}


def test_who_may_not_push_restores_nothing(root, alice):
    digest = lines(berth_command(alice, "tag", "history", "app:v1", "--output", "json"))[-1]["imageDigest"]
    reader = root.create_user("reader", policy(allow("berth:*", "*"), allow("ecr:BatchGetImage", "*")))
    berth_command(reader, "tag", "restore", "app:v1", digest).failed("ecr:PutImage", "not authorized")
    never = "sha256:" + "0" * 64
    berth_command(alice, "tag", "restore", "app:v1", never).failed("does not exist")
    root.ecr.put_image_tag_mutability(repositoryName="app", imageTagMutability="IMMUTABLE")
    moved = lines(berth_command(alice, "tag", "history", "app:v1", "--output", "json"))
    other = next(move["imageDigest"] for move in moved if move["imageDigest"] != moved[0]["imageDigest"])
    berth_command(alice, "tag", "restore", "app:v1", other).failed("immutable")
    berth_command(alice, "tag", "restore", "app").failed("REPOSITORY:TAG")
