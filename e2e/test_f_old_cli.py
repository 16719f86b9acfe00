"""Walk-through F: the old AWS CLI's `aws ecr get-login`, which prints a docker command, and `aws sts get-caller-identity`."""

import datetime
import shlex

import pytest

from berth.policies import policy, push_and_pull


@pytest.fixture(scope="module")
def alice(root):
    root.create_repository("legacy")
    return root.create_user("alice", policy(*push_and_pull("legacy")))


def test_get_login_prints_a_docker_command_that_works(alice):
    printed = alice.aws("ecr", "get-login", "--no-include-email").out.strip()
    words = shlex.split(printed)
    assert words[:4] == ["docker", "login", "-u", "AWS"] and words[4] == "-p"
    password, endpoint = words[5:]
    assert ":" not in password
    assert endpoint == alice.server.url
    # The very command, as a shell would run it.
    alice.docker(*words[1:]).ok()
    message = alice.docker.build("legacy:v1")
    alice.docker.push("legacy:v1").ok()
    alice.docker.pull("legacy:v1").ok()
    assert alice.docker.message("legacy:v1") == message


def test_get_login_names_the_registry_that_is_asked_for(alice):
    printed = alice.aws("ecr", "get-login", "--registry-ids", alice.account, "--no-include-email").out
    assert printed.count("docker login -u AWS -p ") == 1


def test_who_am_i(alice):
    me = alice.aws("sts", "get-caller-identity").json
    assert me["Account"] == alice.account and me["Arn"] == alice.arn
    assert me["UserId"].startswith("AIDA") and len(me["UserId"]) == 21


def test_who_am_i_as_text_and_with_a_query(alice):
    assert alice.aws("sts", "get-caller-identity", "--query", "Arn", "--output", "text").out == alice.arn + "\n"


def test_who_root_is(root):
    me = root.aws("sts", "get-caller-identity").json
    assert me == {"UserId": root.account, "Account": root.account, "Arn": f"arn:aws:iam::{root.account}:root"}


def test_get_login_password_lasts_twelve_hours(alice):
    before = datetime.datetime.now(datetime.UTC)
    data = alice.ecr.get_authorization_token()["authorizationData"]
    after = datetime.datetime.now(datetime.UTC)
    assert len(data) == 1
    twelve, second = datetime.timedelta(hours=12), datetime.timedelta(seconds=1)
    assert before + twelve - second <= data[0]["expiresAt"] <= after + twelve + second
    assert data[0]["proxyEndpoint"] == alice.server.url
