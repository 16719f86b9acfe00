"""Clocks that are wrong, and sessions that are over, with real clients under libfaketime.

A client whose clock is off by more than fifteen minutes is refused; SDKs that correct their clock by the answer's `Date` then
get through. A session that is over is `ExpiredToken`, in AWS's words, and SDKs that know how to renew it do.
"""

import json
import subprocess
import sys

import pytest

from berth import images
from berth.clock import Clock
from berth.outcome import Outcome
from berth.policies import allow, policy, push_and_pull
from berth.programs import PROGRAMS, VERSIONS, aws_cli, profile, shell
from berth.server import Server

OVER = "The security token included in the request is expired"


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    """The clock of clients that are off."""
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def servers_clock(tmp_path_factory):
    return Clock(tmp_path_factory.mktemp("servers-clock"))


@pytest.fixture(scope="module")
def berth(tmp_path_factory, servers_clock):
    with Server(tmp_path_factory.mktemp("clock"), environment=servers_clock.environment) as server:
        yield server


@pytest.fixture(autouse=True)
def right_again(clock, servers_clock):
    yield
    clock.off()
    servers_clock.off()


@pytest.fixture(scope="module")
def circleci(root):
    root.create_repository("app")
    root.create_repository("payments")
    user = root.create_user("circleci")
    root.create_role("containerise", policy(allow("sts:AssumeRole", Principal={"AWS": user.arn})), policy(
        *push_and_pull("app"), allow("ecr:DescribeRepositories", root.repository_arn("app-missing"))))
    return user


def role(person):
    return f"arn:aws:iam::{person.account}:role/containerise"


def keys(person):
    return {name: value for name, value in person.environment.items() if name.startswith("AWS_")} | {
        "AWS_MAX_ATTEMPTS": "3"}


@pytest.mark.parametrize("minutes", [20, -20])
@pytest.mark.parametrize("version", VERSIONS)
def test_the_aws_cli_is_told_that_its_clock_is_wrong(circleci, clock, version, minutes):
    clock.off(minutes)
    words = "Signature not yet current" if minutes > 0 else "Signature expired"
    circleci.run(aws_cli(version), "sts", "get-caller-identity", env=clock.environment).failed("SignatureDoesNotMatch", words)
    circleci.run(aws_cli(version), "ecr", "get-login-password", env=clock.environment).failed("InvalidSignatureException", words)


@pytest.mark.parametrize("minutes", [10, -10])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_clock_that_is_a_little_off_is_no_matter(circleci, clock, version, minutes):
    clock.off(minutes)
    assert circleci.run(aws_cli(version), "sts", "get-caller-identity", "--output", "json",
                        env=clock.environment).json["Arn"] == circleci.arn


@pytest.mark.parametrize("minutes", [20, -20])
@pytest.mark.parametrize("language", ["javascript", "java"])
def test_sdks_correct_their_clock(circleci, clock, language, minutes):
    """The first call is refused, and the SDK repeats it at the server's time."""
    session = circleci.assume(role(circleci), "skewed")
    clock.off(minutes)
    job = Outcome.run(circleci, [*PROGRAMS[language](), "app", "payments"],
                      shell(circleci) | keys(session) | clock.environment)
    steps = {line["step"]: line["value"] for line in map(json.loads, job.out.splitlines())}
    assert steps["identity"] == session.arn
    assert steps["denied"]["code"] == "AccessDeniedException"


@pytest.mark.parametrize("language", ["python", "javascript", "java", "rust"])
def test_a_session_that_is_over_is_expired(circleci, clock, servers_clock, language):
    session = circleci.assume(role(circleci), "brief", DurationSeconds=900)
    for each in (clock, servers_clock):
        each.off(16)
    job = Outcome.run(circleci, [*PROGRAMS[language](), "app", "payments"],
                      shell(circleci) | keys(session) | clock.environment)
    # Java's exceptions print the message without the code.
    job.failed(OVER) if language == "java" else job.failed("ExpiredToken", OVER)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_aws_cli_is_told_that_its_session_is_over(circleci, clock, servers_clock, version):
    session = circleci.assume(role(circleci), "brief", DurationSeconds=900)
    run = lambda *arguments: session.run(aws_cli(version), *arguments, env=clock.environment)  # noqa: E731
    run("sts", "get-caller-identity").ok()
    for each in (clock, servers_clock):
        each.off(16)
    run("sts", "get-caller-identity").failed("(ExpiredToken)", OVER)
    run("iam", "list-users").failed("(ExpiredToken)", OVER)
    run("ecr", "get-login-password").failed("(ExpiredTokenException)", OVER)


def test_docker_is_told_that_its_login_is_over(root, servers_clock):
    """A login lasts twelve hours, and a session's no longer than the session."""
    alice = root.create_user("alice", policy(*push_and_pull("app")))
    image = images.Image()
    alice.raw().push("app", "kept", image).expect(201)
    alice.docker.login()
    servers_clock.off(11 * 60)
    skopeo = lambda: alice.run("skopeo", "inspect", "--raw", "--tls-verify=false", "--authfile",  # noqa: E731
                               alice.home / "docker/config.json", f"docker://{alice.image('app:kept')}")
    skopeo().ok()
    servers_clock.off(13 * 60)
    words = "Your authorization token has expired. Reauthenticate and try again."
    skopeo().failed(words)
    alice.docker("pull", alice.image("app:kept")).failed(words)


RENEWS = """
import sys, boto3
sts = boto3.client("sts")
for _ in sys.stdin:
    print(sts.get_caller_identity()["Arn"], sts._request_signer._credentials.access_key, flush=True)
"""


def test_boto3_renews_the_session_of_a_profile(root, circleci, clock, servers_clock, tmp_path):
    """A program that runs for hours takes the role again before its session is over."""
    given = shell(circleci) | profile(circleci, role(circleci), tmp_path) | clock.environment
    process = subprocess.Popen([sys.executable, "-c", RENEWS], env=given, text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    used = []
    try:
        for hours in range(4):
            for each in (clock, servers_clock):
                each.off(hours * 60)
            process.stdin.write("\n")
            process.stdin.flush()
            arn, key = process.stdout.readline().split()
            assert arn == f"arn:aws:sts::{root.account}:assumed-role/containerise/build-7"
            used.append(key)
    finally:
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        process.stdout.close()
    assert len(set(used)) == 4
