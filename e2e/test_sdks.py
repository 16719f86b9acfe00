"""Walk-through B through the default credential chains of five SDKs: a profile with a role, and a token of an identity
provider; typed errors, paginators. Each program lives in `sdks/` with its lock file."""

import base64
import json
import os
import pathlib
import sys

import pytest

from berth import images
from berth.outcome import NO_IDENTITY_POLICY, Outcome, refusal
from berth.policies import allow, policy, push_and_pull
from berth.server import Server
from test_keyless_ci import WEB_IDENTITY, provider

SDKS = pathlib.Path(__file__).parent / "sdks"


def built(variable):
    """A program that `cargo xtask test` builds."""
    path = os.environ.get(variable)
    assert path, f"{variable} must name the program: run `cargo xtask test e2e`"
    return path


#: The command of each SDK's program.
PROGRAMS = {
    "python": lambda: [sys.executable, SDKS / "python/main.py"],
    "javascript": lambda: ["node", pathlib.Path(built("BERTH_SDK_JAVASCRIPT")) / "main.js"],
    "go": lambda: [built("BERTH_SDK_GO")],
    "java": lambda: ["java", "-cp", "{0}/jars/*:{0}".format(built("BERTH_SDK_JAVA")), "Main"],
    "rust": lambda: [built("BERTH_SDK_RUST")],
}
@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    with Server(tmp_path_factory.mktemp("sdks"), *issuer.trusted) as server:
        yield server


@pytest.fixture(scope="module")
def circleci(root, issuer):
    """The CI's user, who may do nothing but take the role `containerise`, which its tokens may take as well."""
    root.create_repository("containerised")
    root.create_repository("payments")
    user = root.create_user("circleci")
    federated = provider(root, issuer, "ci", "sts.amazonaws.com")
    subject = {"StringEquals": {f"{issuer.name('ci')}:sub": "job"}}
    root.create_role("containerise", policy(
        allow("sts:AssumeRole", Principal={"AWS": user.arn}),
        allow(WEB_IDENTITY, Principal={"Federated": federated}, Condition=subject),
    ), policy(
        *push_and_pull("containerised"),
        allow("ecr:DescribeRepositories", root.repository_arn("containerised-missing"))))
    return user


def profile(user, role, directory):
    """A profile with a role, whose source profile has the user's key."""
    config, credentials = directory / "config", directory / "credentials"
    config.write_text(f"[profile job]\nregion = {user.server.region}\nrole_arn = {role}\n"
                      "source_profile = ci\nrole_session_name = build-7\n")
    credentials.write_text(f"[ci]\naws_access_key_id = {user.credentials.access_key_id}\n"
                           f"aws_secret_access_key = {user.credentials.secret_access_key}\n")
    return {"AWS_PROFILE": "job", "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}


def web_identity(token, role, directory):
    """What CI systems and Kubernetes set: no key, no profile."""
    file = directory / "token"
    file.write_text(token)
    return {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(file), "AWS_ROLE_SESSION_NAME": "build-7"}


def shell(user):
    """An environment without keys."""
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: value for name, value in user.environment.items() if name not in keys} | {
        # Java's SDK reads the region from this variable alone.
        "AWS_REGION": user.server.region,
        # Go's does not use AWS_ENDPOINT_URL for the calls of its own credential providers.
        "AWS_ENDPOINT_URL_STS": user.server.url,
    }


@pytest.mark.parametrize("language", PROGRAMS)
@pytest.mark.parametrize("way", ["profile", "web identity"])
def test_a_job_takes_its_role_and_pushes(root, circleci, issuer, language, way, tmp_path):
    role = f"arn:aws:iam::{root.account}:role/containerise"
    given = (profile(circleci, role, tmp_path) if way == "profile" else
             web_identity(issuer.token("ci", sub="job"), role, tmp_path))
    job = Outcome.run(circleci, [*PROGRAMS[language](), "containerised", "payments"], shell(circleci) | given)
    steps = {line["step"]: line["value"] for line in map(json.loads, job.out.splitlines())}
    assert list(steps) == ["identity", "token", "tags", "missing", "denied"]

    session = f"arn:aws:sts::{root.account}:assumed-role/containerise/build-7"
    assert steps["identity"] == session
    assert steps["token"]["proxyEndpoint"] == root.server.url
    user, password = base64.b64decode(steps["token"]["authorizationToken"]).decode().split(":")
    pushed = root.ecr.list_images(repositoryName="containerised")["imageIds"]
    assert sorted(steps["tags"]) == sorted(image["imageTag"] for image in pushed)
    assert steps["missing"] is True
    assert steps["denied"] == {
        "code": "AccessDeniedException",
        "message": refusal(session, "ecr:DescribeRepositories", root.repository_arn("payments"), NO_IDENTITY_POLICY),
    }
    # The login that the SDK got pushes and pulls.
    registry, image = root.raw(), images.Image()
    registry.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    registry.push("containerised", f"{language}-{way.replace(' ', '-')}", image).expect(201)
    registry.pull("containerised", image)


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_token_that_the_role_does_not_trust_is_refused(root, circleci, issuer, language, tmp_path):
    """The SDK fails with the server's words, and falls back on nothing."""
    role = f"arn:aws:iam::{root.account}:role/containerise"
    given = web_identity(issuer.token("ci", sub="another job"), role, tmp_path)
    job = Outcome.run(circleci, [*PROGRAMS[language](), "containerised", "payments"], shell(circleci) | given)
    job.failed(f"Not authorized to perform {WEB_IDENTITY}")
    assert '{"step"' not in job.text
