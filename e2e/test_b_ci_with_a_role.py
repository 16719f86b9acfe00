"""Walk-through B: the CI's user may do nothing but step into a role; the role's session builds and pushes.

The job is written as such jobs are: boto3 and the docker SDK for Python.
"""

import base64
import json

import boto3
import docker
import pytest

from berth import engines, images
from berth.outcome import NO_IDENTITY_POLICY, NO_SESSION_POLICY, NO_TRUST_POLICY
from berth.people import Credentials, Person, failing
from berth.policies import LOGIN, PULL, allow, policy, push_and_pull, repository_arn, trust


@pytest.fixture(scope="module")
def circleci(root):
    """The user of the CI, with no permissions at all; the role `containerise` names it in its trust policy."""
    root.create_repository("service")
    user = root.create_user("circleci")
    root.create_role("containerise", trust({"AWS": user.arn}), policy(*push_and_pull("service")))
    return user


def role(person, name="containerise"):
    return f"arn:aws:iam::{person.account}:role/{name}"


def test_the_job(circleci, root, tmp_path):
    sts = boto3.client("sts", endpoint_url=circleci.server.url, region_name="us-east-1",
                       aws_access_key_id=circleci.credentials.access_key_id,
                       aws_secret_access_key=circleci.credentials.secret_access_key)
    assumed = sts.assume_role(RoleArn=role(circleci), RoleSessionName="build-42", DurationSeconds=900)
    credentials = assumed["Credentials"]
    ecr = boto3.client("ecr", endpoint_url=circleci.server.url, region_name="us-east-1",
                       aws_access_key_id=credentials["AccessKeyId"],
                       aws_secret_access_key=credentials["SecretAccessKey"],
                       aws_session_token=credentials["SessionToken"])
    token = ecr.get_authorization_token()["authorizationData"][0]
    user, password = base64.b64decode(token["authorizationToken"]).decode().split(":")
    registry = token["proxyEndpoint"].removeprefix("http://")
    assert registry == circleci.registry

    engine = docker.DockerClient(base_url=engines.dockerd().address)
    try:
        assert engine.login(username=user, password=password, registry=token["proxyEndpoint"])["Status"] == "Login Succeeded"
        repository = f"{registry}/service"
        image, _ = engine.images.build(path=str(images.context(tmp_path / "context", "made by build-42")),
                                       tag=f"{repository}:v1")
        auth = {"username": user, "password": password}
        said = list(engine.images.push(repository, tag="v1", auth_config=auth, stream=True, decode=True))
        assert not [line for line in said if "error" in line], said

        engine.images.remove(f"{repository}:v1", force=True)
        pulled = engine.images.pull(repository, tag="v1", auth_config=auth)
        assert pulled.id == image.id
        out = engine.containers.run(pulled, ["cat", images.MESSAGE], remove=True, network_mode="none")
        assert out == b"made by build-42\n"

        # What the session may not do, the SDK is told in words.
        root_made = f"{registry}/other"
        root.create_repository("other")
        image.tag(root_made, "v1")
        said = list(engine.images.push(root_made, tag="v1", auth_config=auth, stream=True, decode=True))
        errors = [line["error"] for line in said if "error" in line]
        session = f"arn:aws:sts::{circleci.account}:assumed-role/containerise/build-42"
        assert errors == [
            f"denied: User: {session} is not authorized to perform: ecr:InitiateLayerUpload on resource: "
            f"{repository_arn('other')} because no identity-based policy allows the ecr:InitiateLayerUpload action"
        ]
    finally:
        engine.close()


def test_who_the_job_is(circleci):
    job = circleci.assume(role(circleci), "build-43")
    me = job.sts.get_caller_identity()
    assert me["Arn"] == f"arn:aws:sts::{circleci.account}:assumed-role/containerise/build-43"
    assert me["Account"] == circleci.account
    role_id, _, session = me["UserId"].partition(":")
    assert role_id.startswith("AROA") and session == "build-43"
    assert job.credentials.access_key_id.startswith("ASIA")


def test_the_user_alone_may_do_nothing(circleci):
    circleci.refused(circleci.ecr.get_authorization_token, action="ecr:GetAuthorizationToken", resource="*",
                     because=NO_IDENTITY_POLICY)
    circleci.aws("ecr", "get-login-password").denied(
        action="ecr:GetAuthorizationToken", resource="*", because=NO_IDENTITY_POLICY)


def test_another_user_may_not_step_into_the_role(root, circleci):
    mallory = root.create_user("mallory")
    mallory.refused(mallory.sts.assume_role, code="AccessDenied", RoleArn=role(mallory), RoleSessionName="intruder",
                    action="sts:AssumeRole", resource=role(mallory), because=NO_TRUST_POLICY)


def test_an_identity_policy_does_not_replace_the_trust_policy(root, circleci):
    trent = root.create_user("trent", policy(allow("sts:AssumeRole", role(circleci))))
    trent.refused(trent.sts.assume_role, code="AccessDenied", RoleArn=role(trent), RoleSessionName="intruder",
                  action="sts:AssumeRole", resource=role(trent), because=NO_TRUST_POLICY)


def test_a_role_that_does_not_exist_is_refused_like_a_forbidden_one(circleci):
    missing = role(circleci, "no-such-role")
    circleci.refused(circleci.sts.assume_role, code="AccessDenied", RoleArn=missing, RoleSessionName="intruder",
                     action="sts:AssumeRole", resource=missing, because=NO_TRUST_POLICY)


def test_a_session_policy_narrows_the_role(circleci, root):
    narrow = policy(LOGIN, allow(PULL, repository_arn("service")))
    job = circleci.assume(role(circleci), "reader", Policy=json.dumps(narrow))
    job.docker.login()
    job.docker.build("service:narrow")
    job.docker.push("service:narrow").denied(
        action="ecr:InitiateLayerUpload", resource=job.repository_arn("service"), because=NO_SESSION_POLICY)


def test_a_session_policy_does_not_widen_the_role(circleci, root):
    root.create_repository("beyond")
    wide = policy(LOGIN, allow("ecr:*", "*"))
    job = circleci.assume(role(circleci), "greedy", Policy=json.dumps(wide))
    job.refused(job.ecr.list_images, repositoryName="beyond", action="ecr:ListImages",
                resource=job.repository_arn("beyond"), because=NO_IDENTITY_POLICY)


def test_a_changed_trust_policy_shuts_the_door_but_sessions_live_on(root):
    user = root.create_user("carol")
    other = root.create_user("other-ci")
    arn = root.create_role("handed-over", trust({"AWS": user.arn}), policy(LOGIN))
    job = user.assume(arn)
    root.aws("iam", "update-assume-role-policy", "--role-name", "handed-over",
             "--policy-document", json.dumps(trust({"AWS": other.arn}))).ok()
    failing(user.sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="again")
    job.ecr.get_authorization_token()
    other.assume(arn)


def test_a_deleted_role_ends_its_sessions(root):
    user = root.create_user("brief-ci")
    arn = root.create_role("brief", trust({"AWS": user.arn}))
    root.iam.put_role_policy(RoleName="brief", PolicyName="p", PolicyDocument=json.dumps(policy(LOGIN)))
    job = user.assume(arn)
    registry = job.raw()
    registry("GET", "/v2/").expect(200)
    root.iam.delete_role_policy(RoleName="brief", PolicyName="p")
    root.iam.delete_role(RoleName="brief")
    registry("GET", "/v2/").expect(401, 403)
    with pytest.raises(Exception):
        job.ecr.get_authorization_token()


def test_role_chaining_is_held_to_one_hour(root):
    user = root.create_user("chain-ci")
    first = root.create_role("first", trust({"AWS": user.arn}))
    second = root.create_role("second", trust({"AWS": first}), policy(LOGIN))
    root.iam.put_role_policy(RoleName="first", PolicyName="p", PolicyDocument=json.dumps(policy(allow("sts:AssumeRole", second))))
    root.iam.update_role(RoleName="second", MaxSessionDuration=43200)
    link = user.assume(first)
    link.assume(second).ecr.get_authorization_token()
    error = failing(link.sts.assume_role, "ValidationError", RoleArn=second, RoleSessionName="long", DurationSeconds=7200)
    assert error["Message"].rstrip(".") == (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")


def test_a_session_is_no_longer_than_its_role_allows(circleci):
    error = failing(circleci.sts.assume_role, "ValidationError", RoleArn=role(circleci), RoleSessionName="long", DurationSeconds=7200)
    assert error["Message"] == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    failing(circleci.boto("sts", parameter_validation=False).assume_role, "ValidationError", RoleArn=role(circleci),
            RoleSessionName="short", DurationSeconds=899)


def test_a_forged_session_token_opens_nothing(circleci):
    job = circleci.assume(role(circleci), "honest")
    token = job.credentials.session_token
    middle = len(token) // 2
    forged = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1:]
    for wrong in (forged, token[:-8], None, "x"):
        liar = Person(job.server, "liar", Credentials(job.credentials.access_key_id, job.credentials.secret_access_key, wrong),
                      job.account, job.arn)
        failing(liar.sts.get_caller_identity, "InvalidClientTokenId")
        failing(liar.ecr.get_authorization_token, "UnrecognizedClientException")
