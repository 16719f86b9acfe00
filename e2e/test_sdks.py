"""Walk-through B through the default credential chains of five SDKs: a profile with a role, and a token of an identity
provider; typed errors, paginators. Each program lives in `sdks/` with its lock file."""

import base64
import json

import pytest

from berth import images, walkthrough_b
from berth.outcome import NO_IDENTITY_POLICY, Outcome, refusal
from berth.programs import PROGRAMS, profile, shell, web_identity
from berth.server import Server
from berth.web_identity import WEB_IDENTITY


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    with Server(tmp_path_factory.mktemp("sdks"), *issuer.trusted) as server:
        yield server


@pytest.fixture(scope="module")
def circleci(root, issuer):
    return walkthrough_b.prepare(root, issuer)


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
