"""The other commands, and the contract that scripts rely on: exit codes, one-line errors, options by flag, environment and file."""

import json
import subprocess

import pytest

from berth.raw import Raw
from berth.server import Server, _environment, binary

POLICY = {"Version": "2012-10-17", "Statement": [
    {"Sid": "Pull", "Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:*:*:repository/app"}]}


def run(*arguments, input=None, env=None, cwd=None):
    return subprocess.run([binary(), *map(str, arguments)], input=input, capture_output=True, text=True, timeout=120,
                          env=_environment() | (env or {}), cwd=cwd)


def scenario(action="ecr:BatchGetImage", repository="app"):
    return {"request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": action,
                        "resource": f"arn:aws:ecr:us-east-1:111122223333:repository/{repository}"},
            "identityPolicies": [POLICY]}


def test_the_demo_shows_the_main_job(tmp_path):
    done = run("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("docker login --username AWS --password-stdin", "docker push", "aws sts assume-role",
                  "denied: User: arn:aws:iam::123456789012:user/",
                  "because no identity-based policy allows the ecr:InitiateLayerUpload action"):
        assert words in done.stdout
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind"


def test_policy_evaluate_prints_a_decision_a_line():
    lines = "\n".join(json.dumps(s) for s in (scenario(), scenario(repository="other"), scenario("ecr:PutImage")))
    done = run("policy", "evaluate", input=lines)
    assert done.returncode == 0, done.stderr
    decisions = [json.loads(line) for line in done.stdout.splitlines()]
    assert [d["decision"] for d in decisions] == ["Allowed", "ImplicitlyDenied", "ImplicitlyDenied"]
    assert decisions[0]["statements"] == [{"policy": "identityPolicies[0]", "sid": "Pull", "index": 0, "effect": "Allow"}]
    assert all(d["reason"].count(".") >= 1 and "\n" not in d["reason"] for d in decisions)


def test_policy_test_fails_when_an_expectation_does(tmp_path):
    (tmp_path / "good.json").write_text(json.dumps(scenario() | {"expect": {"decision": "Allowed"}}))
    assert run("policy", "test", tmp_path).returncode == 0
    (tmp_path / "bad.json").write_text(json.dumps(scenario("ecr:PutImage") | {"expect": {"decision": "Allowed"}}))
    done = run("policy", "test", tmp_path)
    assert done.returncode == 1 and "bad.json" in done.stdout + done.stderr


def test_policy_validate(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(POLICY))
    bad.write_text(json.dumps(POLICY | {"Version": "1999-01-01"}))
    assert run("policy", "validate", good).returncode == 0
    done = run("policy", "validate", good, bad)
    assert done.returncode == 1 and "bad.json" in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("serve", "--listen", "here"), ("serve", "--account-id", "12"),
                                       ("serve", "--nonsense"), ("policy",), ("account", "create", "--account-id", "x"), ("serve", "--config", "no-such-file")], ids=range(8))
def test_wrong_usage_is_exit_code_two(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.strip()


@pytest.mark.parametrize("arguments", [("policy", "evaluate", "no-such-file"), ("serve", "--tls-cert", "no-such-file", "--tls-key", "no-such-file")], ids=range(2))
def test_a_failure_is_exit_code_one_and_one_line(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1, done
    assert "no-such-file" in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize("command", [(), ("serve",), ("demo",), ("policy",), ("policy", "evaluate"), ("account", "create")],
                         ids=lambda words: " ".join(words) or "berth")
def test_every_command_has_help(command):
    done = run(*command, "--help")
    assert done.returncode == 0 and "Usage: berth" in done.stdout and done.stderr == ""


def test_an_address_in_use_is_said_in_one_line(tmp_path):
    with Server(tmp_path / "first") as server:
        done = run("serve", "--listen", server.registry, "--data-dir", tmp_path / "second")
        assert done.returncode == 1 and server.registry in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_options_by_file_environment_and_flag(tmp_path):
    """The flag beats the environment, the environment beats the file."""
    config = tmp_path / "berth.toml"
    config.write_text('region = "eu-central-1"\npublic-url = "http://file.example:5000"\n')
    with Server(tmp_path / "berth", "--config", str(config), region="eu-west-1") as server:
        made = server.root.create_repository("app")
        assert made["repositoryArn"] == "arn:aws:ecr:eu-west-1:123456789012:repository/app"
        assert made["repositoryUri"] == "file.example:5000/app"
        token = server.root.ecr.get_authorization_token()["authorizationData"][0]
        assert token["proxyEndpoint"] == "http://file.example:5000"


def test_the_root_key_may_be_given(tmp_path, monkeypatch):
    given = {"BERTH_ROOT_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "BERTH_ROOT_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
    monkeypatch.setattr("berth.server._environment", lambda: _environment() | given)
    with Server(tmp_path / "berth") as server:
        assert server.root.credentials.access_key_id == given["BERTH_ROOT_ACCESS_KEY_ID"]
        assert server.root.credentials.secret_access_key == given["BERTH_ROOT_SECRET_ACCESS_KEY"]
        assert server.root.sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"


def test_health_and_metrics(berth):
    wire = Raw(berth)
    for path in ("/healthz", "/readyz"):
        wire("GET", path).expect(200)
    metrics = wire("GET", "/metrics").expect(200)
    assert b"# TYPE" in metrics.body and b"berth_" in metrics.body


def test_an_account_is_made_once(berth):
    berth.create_account("777788889999")
    done = run("account", "create", "--data-dir", berth.data, "--account-id", "777788889999")
    assert done.returncode == 1 and "777788889999" in done.stderr
