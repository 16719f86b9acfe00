"""The AWS CLI, versions 1 and 2: walk-through B by hand, with a profile, and with a token of an identity provider."""

import pytest

from berth import walkthrough_b
from berth.outcome import NO_IDENTITY_POLICY, refusal
from berth.people import Credentials, Person
from berth.programs import VERSIONS, aws_cli, profile, web_identity
from berth.server import Server
from berth.service import MODEL


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    with Server(tmp_path_factory.mktemp("aws-cli"), *issuer.trusted) as server:
        yield server


@pytest.fixture(scope="module")
def circleci(root, issuer):
    return walkthrough_b.prepare(root, issuer)


@pytest.fixture(params=VERSIONS)
def aws(request, circleci):
    """The AWS CLI in a shell without keys; `given` are further variables."""
    def run(*arguments, given, person=circleci):
        argv = [aws_cli(request.param), *arguments]
        return person.run(*argv, env={name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
                          | {"AWS_DEFAULT_OUTPUT": "json"} | given)
    run.version = request.param
    return run


def session_arn(root):
    return f"arn:aws:sts::{root.account}:assumed-role/containerise/build-7"


def keys(person):
    return {"AWS_ACCESS_KEY_ID": person.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": person.credentials.secret_access_key}


def pushes(root, aws, given, tag):
    """`aws ecr get-login-password | docker login`, then build, push, and what the role may not do."""
    job = Person(root.server, "job", Credentials("", ""), root.account, session_arn(root))
    password = aws("ecr", "get-login-password", given=given).out
    job.docker("login", "--username", "AWS", "--password-stdin", job.registry, input=password).ok()
    job.docker.build(f"containerised:{tag}")
    job.docker.push(f"containerised:{tag}").ok()
    podman = job.podman
    podman("login", "--tls-verify=false", "--username", "AWS", "--password-stdin", job.registry, input=password).ok()
    podman.pull(f"containerised:{tag}").ok()
    podman.forget(f"containerised:{tag}")
    aws("ecr", "describe-repositories", "--repository-names", "payments", given=given).failed(
        "AccessDeniedException",
        refusal(session_arn(root), "ecr:DescribeRepositories", root.repository_arn("payments"), NO_IDENTITY_POLICY))
    listed = aws("ecr", "list-images", "--repository-name", "containerised", given=given).json["imageIds"]
    assert tag in {image.get("imageTag") for image in listed}


def test_the_version(aws):
    assert aws("--version", given={}).out.startswith(f"aws-cli/{aws.version}.")


def test_a_role_is_taken_by_hand(root, circleci, aws):
    role = f"arn:aws:iam::{root.account}:role/containerise"
    answer = aws("sts", "assume-role", "--role-arn", role, "--role-session-name", "build-7", "--duration-seconds", "900",
                 given=keys(circleci)).json
    assert answer["AssumedRoleUser"]["Arn"] == session_arn(root)
    issued = answer["Credentials"]
    given = {"AWS_ACCESS_KEY_ID": issued["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
             "AWS_SESSION_TOKEN": issued["SessionToken"]}
    assert aws("sts", "get-caller-identity", given=given).json["Arn"] == session_arn(root)
    pushes(root, aws, given, f"by-hand-{aws.version}")


def test_a_profile_takes_the_role(root, circleci, aws, tmp_path):
    role = f"arn:aws:iam::{root.account}:role/containerise"
    given = profile(circleci, role, tmp_path)
    assert aws("sts", "get-caller-identity", given=given).json["Arn"] == session_arn(root)
    pushes(root, aws, given, f"profile-{aws.version}")


def test_a_token_takes_the_role(root, circleci, issuer, aws, tmp_path):
    role = f"arn:aws:iam::{root.account}:role/containerise"
    # As `jq --raw-output` writes it, with a line feed.
    given = web_identity(issuer.token("ci", sub="job") + "\n", role, tmp_path)
    assert aws("sts", "get-caller-identity", given=given).json["Arn"] == session_arn(root)
    pushes(root, aws, given, f"token-{aws.version}")
    # The call itself needs no credentials.
    answer = aws("sts", "assume-role-with-web-identity", "--role-arn", role, "--role-session-name", "build-7",
                 "--web-identity-token", issuer.token("ci", sub="job"), "--no-sign-request", given={}).json
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("job", "sts.amazonaws.com")
    given = web_identity(issuer.token("ci", sub="another job"), role, tmp_path)
    aws("sts", "get-caller-identity", given=given).failed("AccessDenied", "Not authorized to perform")


def test_lists_are_paginated(root, aws):
    for number in range(5):
        name = f"page-{aws.version}-{number}"
        root.iam.create_user(UserName=name)
    given = keys(root) | {"AWS_MAX_ATTEMPTS": "1"}
    listed = aws("iam", "list-users", "--page-size", "2", given=given).json["Users"]
    assert {f"page-{aws.version}-{number}" for number in range(5)} <= {user["UserName"] for user in listed}
    first = aws("iam", "list-users", "--max-items", "3", given=given).json
    assert len(first["Users"]) == 3
    rest = aws("iam", "list-users", "--starting-token", first["NextToken"], given=given).json["Users"]
    assert [user["UserName"] for user in first["Users"] + rest] == [user["UserName"] for user in listed]


def test_it_learns_the_service_berth(root, circleci, aws):
    person = root
    given = keys(person)
    aws("configure", "add-model", "--service-name", "berth", "--service-model", f"file://{MODEL}", given=given, person=person).ok()
    assert aws("berth", "list-hosts", given=given, person=person).json == {"hosts": []}
