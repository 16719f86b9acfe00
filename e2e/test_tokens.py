"""Docker's token protocol: clients that are challenged with Bearer fetch tokens by themselves, and IAM decides each request."""

import json
import secrets
import urllib.parse

import pytest

from berth import images
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import allow, policy, pull_only, push_and_pull
from berth.raw import Raw
from berth.server import Server
from berth.service import berth_command

REPOSITORIES = ("docker", "crane", "skopeo", "ctr", "copies")


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("tokens"), "--token-auth") as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


@pytest.fixture(scope="module")
def writer(root):
    for name in REPOSITORIES:
        root.create_repository(name)
    return root.create_user("writer", policy(*push_and_pull(*REPOSITORIES)))


@pytest.fixture(scope="module")
def reader(root, writer):
    return root.create_user("reader", policy(*pull_only(*REPOSITORIES)))


def refused(who, outcome, repository, action="ecr:InitiateLayerUpload"):
    outcome.denied(action=action, resource=who.repository_arn(repository), because=NO_IDENTITY_POLICY)


def test_a_stranger_is_challenged_with_bearer_alone(berth):
    answer = Raw(berth)("GET", "/v2/").expect(401)
    assert answer["WWW-Authenticate"] == f'Bearer realm="{berth.url}/token",service="ecr.amazonaws.com"'
    answer = Raw(berth)("GET", "/token?scope=repository:docker:pull").expect(401)
    assert answer["WWW-Authenticate"].startswith("Basic ")


def test_docker(writer, reader):
    writer.docker.login()
    message = writer.docker.build("docker:v1")
    writer.docker.push("docker:v1").ok()
    reader.docker.login()
    reader.docker.pull("docker:v1").ok()
    assert reader.docker.message("docker:v1") == message
    reader.docker.tag("docker:v1", "docker:mine")
    reader.docker.push("docker:mine").failed("denied")


def test_crane(writer, reader, tmp_path):
    layout = images.umoci_layout(tmp_path / "crane", secrets.token_hex(8)).removeprefix("oci:").rpartition(":")[0]
    writer.crane.login()
    writer.crane("push", layout, writer.image("crane:v1")).ok()
    # Across repositories: a token for both, and a mount.
    writer.crane("copy", writer.image("crane:v1"), writer.image("copies:crane")).ok()
    reader.crane.login()
    reader.crane("pull", "--format", "oci", reader.image("crane:v1"), tmp_path / "back").ok()
    mine = images.umoci_layout(tmp_path / "mine", "mine").removeprefix("oci:").rpartition(":")[0]
    refused(reader, reader.crane("push", mine, reader.image("crane:mine")), "crane")


def test_skopeo(writer, reader, tmp_path):
    layout = images.umoci_layout(tmp_path / "skopeo", secrets.token_hex(8))
    writer.skopeo.login()
    writer.skopeo.push(layout, "skopeo:v1").ok()
    assert writer.skopeo.tags("skopeo") == ["v1"]
    reader.skopeo.login()
    reader.skopeo.pull("skopeo:v1", f"oci:{tmp_path / 'back'}:v1").ok()
    refused(reader, reader.skopeo.push(images.umoci_layout(tmp_path / "mine", "mine"), "skopeo:v2"), "skopeo")


def test_containerd(writer, reader):
    writer.docker.login()
    message = writer.docker.build("ctr:v1")
    writer.docker.push("ctr:v1").ok()
    # It asks by POST first.
    reader.ctr.pull("ctr:v1").ok()
    assert reader.ctr.run("ctr:v1", "/bin/busybox", "cat", images.MESSAGE).out.strip() == message
    reader.ctr.tag("ctr:v1", "ctr:v2")
    reader.ctr.push("ctr:v2").failed("403 Forbidden")
    writer.ctr.push("ctr:v2").ok()


def test_a_token_is_for_one_repository_and_ends_with_its_principal(berth, root, writer):
    user = root.create_user("temporary", policy(*push_and_pull("docker", "crane")))
    asked = urllib.parse.urlencode({"service": "ecr.amazonaws.com", "scope": "repository:crane:pull"})
    token = json.loads(user.raw()("GET", f"/token?{asked}").expect(200).body)["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    stranger = Raw(berth)
    stranger("GET", "/v2/crane/tags/list", headers=bearer).expect(200)
    other = stranger("GET", "/v2/docker/tags/list", headers=bearer).expect(401)
    assert 'scope="repository:docker:pull"' in other["WWW-Authenticate"]
    for key in root.iam.list_access_keys(UserName="temporary")["AccessKeyMetadata"]:
        root.iam.update_access_key(UserName="temporary", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    stranger("GET", "/v2/crane/tags/list", headers=bearer).expect(401)


def test_a_job_logs_in_with_a_token_for_one_repository(root, writer):
    writer.docker.login()
    writer.docker.build("docker:job")
    writer.docker.push("docker:job").ok()
    rights = policy(*push_and_pull("docker", "crane"), allow("berth:GetRegistryToken", root.repository_arn("docker")))
    person = root.create_user("job", rights)
    token = berth_command(person, "token", "--repository", "docker", "--action", "pull").ok().out.strip()
    berth_command(person, "token", "--repository", "crane", "--action", "pull").failed("berth:GetRegistryToken")
    person.docker("login", "--username", "AWS", "--password-stdin", person.registry, input=token).ok()
    person.docker.pull("docker:job").ok()
    person.docker.tag("docker:job", "docker:pushed")
    person.docker.push("docker:pushed").failed("denied")
    person.docker.tag("docker:job", "crane:pushed")
    person.docker.push("crane:pushed").failed("denied")
