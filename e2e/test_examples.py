"""The jobs of `examples/`: each file's own steps, on a machine that has what the CI service gives a job, and nothing else."""

import contextlib
import subprocess

import pytest

from berth import jobs
from berth.issuer import SHAPES
from berth.policies import allow, policy, push_and_pull, trust
from berth.server import Server, binary
from berth.web_identity import DOCUMENTED, WEB_IDENTITY, provider

SERVICES = ("github", "gitlab", "circleci", "jenkins")


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    with Server(tmp_path_factory.mktemp("examples"), *issuer.trusted) as server:
        server.root.create_repository("app")
        yield server


@pytest.fixture(scope="module")
def pusher(root, issuer):
    """The role of the examples: each service's jobs may take it, by the trust policy that its documentation shows."""
    statements = []
    for name in SERVICES:
        audience, conditions = DOCUMENTED[name]
        arn = provider(root, issuer, name, audience)
        condition = dict(conditions(issuer.name(name)))
        statements.append(allow(WEB_IDENTITY, Principal={"Federated": arn}, Condition=condition))
    return root.create_role("pusher", policy(*statements), policy(*push_and_pull("app")))


def run(service, root, issuer, **claims):
    """The service's example, with a token in the form of its issuer."""
    issued = lambda audience=None: issuer.token(  # noqa: E731
        service, **SHAPES[service] | ({"aud": audience} if audience else {}) | claims)
    if service == "github":
        issuer.granted["Bearer of-the-job"] = issued
        return jobs.github(jobs.job(root, environment={"CURL_CA_BUNDLE": str(issuer.ca)}), "keyless/github-actions.yml",
                           issuer.token_url("github"), "of-the-job")
    if service == "gitlab":
        return jobs.gitlab(jobs.job(root), "keyless/gitlab-ci.yml", issued)
    if service == "circleci":
        return jobs.circleci(jobs.job(root), "keyless/circleci.yml", issued())
    return jobs.jenkins(jobs.job(root), "keyless/Jenkinsfile", {"berth": issued("sts.amazonaws.com")})


@pytest.mark.parametrize("service", SERVICES)
def test_a_job_pushes_without_a_stored_key(service, root, issuer, pusher):
    before = tags(root)
    run(service, root, issuer).ok()
    pushed, = tags(root) - before
    assert len(pushed) == 40, pushed


@pytest.mark.parametrize("service", SERVICES)
def test_a_job_of_another_project_is_refused(service, root, issuer, pusher):
    before = tags(root)
    outcome = run(service, root, issuer, sub=SHAPES[service]["sub"].replace("app", "fork").replace("p-1", "p-2"))
    outcome.failed(f"Not authorized to perform {WEB_IDENTITY}")
    assert tags(root) == before


def tags(root):
    return {image.get("imageTag") for image in root.ecr.list_images(repositoryName="app")["imageIds"]}


@contextlib.contextmanager
def joined(root, tmp_path):
    """A host that `examples/hosts/setup.sh` joins; answers what to replace in the jobs that run on it."""
    root.create_role("host", trust({"Service": "ec2.amazonaws.com"}), policy(*push_and_pull("app")))
    root.iam.create_instance_profile(InstanceProfileName="host")
    root.iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
    code = root.run(binary(), "host", "invite", "--instance-profile", "host").out
    state, bin, tokens = tmp_path / "state", tmp_path / "bin", tmp_path / "tokens"
    state.mkdir(mode=0o700)
    bin.mkdir()
    (bin / "berth").symlink_to(binary())
    machine = jobs.job(root, path=[bin])
    setup = machine.checkout / "examples/hosts/setup.sh"
    argv = [*jobs.namespace(state), setup, "--listen", "127.0.0.1:0", "--container-token-dir", tokens]
    with (tmp_path / "agent.log").open("wb") as log:
        process = subprocess.Popen(list(map(str, argv)), env=machine.environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            process.stdin.write(code)
            process.stdin.close()
            for line in process.stdout:
                if line.startswith("berth agent listening on "):
                    break
            else:
                raise AssertionError((tmp_path / "agent.log").read_text())
            yield {"http://127.0.0.1:1338": line.split()[-1], "/run/berth-agent": str(tokens)}, state
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0
            process.stdout.close()
    root.iam.remove_role_from_instance_profile(InstanceProfileName="host", RoleName="host")
    root.iam.delete_instance_profile(InstanceProfileName="host")
    root.iam.delete_role_policy(RoleName="host", PolicyName="permissions")
    root.iam.delete_role(RoleName="host")


def test_jobs_on_a_host_push_with_its_role(root, tmp_path):
    """Walk-through C: a build in CodeBuild's form and a Jenkins agent; neither has a key, a token or a profile."""
    with joined(root, tmp_path) as (replaced, _):
        before = tags(root)
        version = "5" * 40
        outcome = jobs.codebuild(jobs.job(root, replaced=replaced), "hosts/buildspec.yml",
                                 {"CODEBUILD_RESOLVED_SOURCE_VERSION": version})
        assert f"arn:aws:sts::{root.account}:assumed-role/host/i-" in outcome.out
        jobs.jenkins(jobs.job(root, replaced=replaced), "hosts/Jenkinsfile", commit="6" * 40).ok()
        assert tags(root) - before == {version, "6" * 40}
        # Another token than the agent's is refused, and nothing else is tried.
        (tmp_path / "tokens/root").unlink()
        (tmp_path / "tokens/root").write_text("0" * 64)
        jobs.codebuild(jobs.job(root, replaced=replaced), "hosts/buildspec.yml",
                       {"CODEBUILD_RESOLVED_SOURCE_VERSION": version}).failed("401")


def test_what_the_runner_does_not_know_is_an_error(root):
    """The runner of the examples reads every line."""
    machine = jobs.job(root)
    (machine.checkout / "examples/keyless/Jenkinsfile").write_text("pipeline {\n  agent any\n  retry(3) {\n  }\n}\n")
    with pytest.raises(AssertionError, match="does not know 'retry"):
        jobs.jenkins(machine, "keyless/Jenkinsfile")
    file = machine.checkout / "examples/keyless/circleci.yml"
    file.write_text(file.read_text().replace("    steps:", "    parallelism: 4\n    steps:"))
    with pytest.raises(AssertionError, match="does not know {'parallelism'}"):
        jobs.circleci(machine, "keyless/circleci.yml", "token")
