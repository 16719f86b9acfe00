"""Walk-through B through the default credential chains of other languages' SDKs: a profile with a role, typed errors,
paginators. Each program lives in `sdks/` with its lock file."""

import base64
import json
import os
import pathlib

import pytest

from berth.outcome import NO_IDENTITY_POLICY, Outcome, refusal
from berth.policies import allow, policy, push_and_pull, trust

PROGRAMS = {
    "go": ("BERTH_SDK_GO", lambda path: [path]),
    "javascript": ("BERTH_SDK_JAVASCRIPT", lambda path: ["node", pathlib.Path(path) / "main.js"]),
}


@pytest.fixture(scope="module")
def role(root):
    root.create_repository("containerised")
    root.create_repository("payments")
    circleci = root.create_user("circleci")
    arn = root.create_role("containerise", trust({"AWS": circleci.arn}), policy(
        *push_and_pull("containerised"),
        allow(["ecr:DescribeRepositories", "ecr:ListImages"], root.repository_arn("containerised")),
        allow("ecr:DescribeRepositories", root.repository_arn("containerised-missing"))))
    return circleci, arn


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_job_assumes_its_role(root, role, language, tmp_path):
    circleci, arn = role
    variable, command = PROGRAMS[language]
    path = os.environ.get(variable)
    assert path, f"{variable} must name the program: run `cargo xtask test e2e`"
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(f"[profile job]\nregion = {circleci.server.region}\nrole_arn = {arn}\n"
                      "source_profile = ci\nrole_session_name = build-7\n")
    credentials.write_text(f"[ci]\naws_access_key_id = {circleci.credentials.access_key_id}\n"
                           f"aws_secret_access_key = {circleci.credentials.secret_access_key}\n")
    environment = {key: value for key, value in circleci.environment.items()
                   if key not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    environment |= {
        "AWS_PROFILE": "job", "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        # The Go SDK's role profile does not use AWS_ENDPOINT_URL for its own AssumeRole.
        "AWS_ENDPOINT_URL_STS": circleci.server.url,
    }
    job = Outcome.run(circleci, [*command(path), "containerised", "payments"], environment)
    steps = {line["step"]: line["value"] for line in map(json.loads, job.out.splitlines())}

    session = f"arn:aws:sts::{root.account}:assumed-role/containerise/build-7"
    assert steps["identity"] == session
    assert steps["token"]["proxyEndpoint"] == circleci.server.url
    assert base64.b64decode(steps["token"]["authorizationToken"]).startswith(b"AWS:")
    assert steps["tags"] == []
    assert steps["missing"] is True
    assert steps["denied"] == {
        "code": "AccessDeniedException",
        "message": refusal(session, "ecr:DescribeRepositories", root.repository_arn("payments"), NO_IDENTITY_POLICY),
    }
