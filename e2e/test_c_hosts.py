"""Walk-through C: a host takes the role of its instance profile and stores no key."""

import base64
import json
import os
import socket
import stat
import subprocess
import urllib.parse

import boto3
import botocore.session
import pytest
from botocore.credentials import InstanceMetadataProvider
from botocore.utils import InstanceMetadataFetcher

from berth import images
from berth.machine import Machine
from berth.policies import allow, policy, push_and_pull, trust
from berth.raw import fetch
from berth.server import binary


@pytest.fixture(scope="module")
def profile(root):
    """The instance profile `containerise`, whose role pushes to `app`."""
    root.create_repository("app")
    root.create_role("containerise", trust({"Service": "ec2.amazonaws.com"}), policy(*push_and_pull("app")))
    root.iam.create_instance_profile(InstanceProfileName="containerise")
    root.iam.add_role_to_instance_profile(InstanceProfileName="containerise", RoleName="containerise")
    return "containerise"


@pytest.fixture(scope="module")
def machine(root, profile):
    made = Machine.invited(root, profile)
    made.joined.ok()
    return made


def token(machine, ttl="60"):
    status, _, body = fetch(machine.metadata + "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds=ttl)
    assert status == 200
    return body


def test_the_code_joins_once_and_the_key_is_the_hosts_alone(root, profile, machine):
    key = machine.state / "host.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert machine.joined.ok().out.startswith(f"joined as {machine.id} ")
    listed = [json.loads(line) for line in root.run(binary(), "host", "list", "--output", "json").ok().out.splitlines()]
    assert [(host["hostId"], host["hostName"], host["status"]) for host in listed] == [(machine.id, "web-1", "ACTIVE")]
    machine.agent("join", "--endpoint-url", machine.server.url, input="code").failed("joined from")
    code = root.run(binary(), "host", "invite", "--instance-profile", profile, "--host-name", "web-2").ok().out
    for name, words in (("web-3", "another name"), ("web-2", None), ("web-2", "used before")):
        state = machine.home / f"state-{name}-{words}"
        outcome = machine.run(binary(), "agent", "join", "--state-dir", state, "--endpoint-url", machine.server.url,
                              "--host-name", name, input=code)
        outcome.failed(words) if words else outcome.ok()
    # An open key file is refused at the start.
    key.chmod(0o640)
    machine.agent("credential-process").failed("other users")
    key.chmod(0o600)


def test_the_aws_cli_boto3_and_docker_push_without_a_stored_key(machine):
    with machine.serving():
        arn = f"arn:aws:sts::{machine.account}:assumed-role/containerise/{machine.id}"
        assert machine.aws("sts", "get-caller-identity").json["Arn"] == arn

        # boto3's own provider, by the session's own environment.
        fetcher = InstanceMetadataFetcher(timeout=5, num_attempts=1, env={}, config={"ec2_metadata_service_endpoint": machine.metadata})
        found = InstanceMetadataProvider(iam_role_fetcher=fetcher).load()
        assert found.method == "iam-role"
        session = botocore.session.get_session()
        session._credentials = found
        client = boto3.session.Session(botocore_session=session, region_name=machine.server.region).client(
            "sts", endpoint_url=machine.server.url)
        assert client.get_caller_identity()["Arn"] == arn

        password = machine.aws("ecr", "get-login-password").ok().out.strip()
        layout = images.umoci_layout(machine.home / "layout", "from a host")
        machine.skopeo("login", "--tls-verify=false", "--username", "AWS", "--password-stdin", machine.registry,
                       input=password).ok()
        machine.skopeo.push(layout, "app:v1").ok()
        machine.docker.login()
        machine.docker.build("app:v2")
        machine.docker.push("app:v2").ok()
    assert machine.root.ecr.describe_images(repositoryName="app")["imageDetails"]
    assert not list(machine.home.glob("**/.aws/credentials"))


def test_the_metadata_service_is_version_2_alone(machine):
    with machine.serving():
        base = machine.metadata
        for path in ("/", "/latest/meta-data/iam/security-credentials/", "/latest/user-data"):
            status, headers, _ = fetch(base + path)
            assert status == 401 and headers["Cache-Control"] == "no-store", path
        held = token(machine)
        read = lambda path, **more: fetch(base + path, X_aws_ec2_metadata_token=held, **more)
        assert read("/latest/meta-data/instance-id")[2] == machine.id
        assert read("/latest/meta-data/placement/region")[2] == machine.server.region
        info = json.loads(read("/latest/meta-data/iam/info")[2])
        assert info["InstanceProfileArn"] == f"arn:aws:iam::{machine.account}:instance-profile/containerise"
        role = read("/latest/meta-data/iam/security-credentials/")[2]
        assert role == "containerise"
        document = json.loads(read(f"/latest/meta-data/iam/security-credentials/{role}")[2])
        assert document["Code"] == "Success" and document["AccessKeyId"].startswith("ASIA")
        assert read("/latest/meta-data/iam/security-credentials/other")[0] == 404
        # Trap: X-Forwarded-For, other hosts and web pages are refused, on the PUT as well.
        for more in ({"X_Forwarded_For": "10.0.0.1"}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            assert read("/latest/meta-data/instance-id", **more)[0] == 403, more
            put = fetch(base + "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60", **more)
            assert put[0] == 403 and "Access-Control-Allow-Origin" not in put[1], more


def test_answers_go_one_hop(machine):
    """Trap: hop limit 1. The kernel drops what comes with fewer hops left than `IP_MINTTL` (ip(7)), as a router would."""
    ip_minttl = 21
    with machine.serving():
        url = urllib.parse.urlsplit(machine.metadata)
        for left, reached in ((1, True), (2, False)):
            with socket.socket() as client:
                client.settimeout(30 if reached else 2)
                client.setsockopt(socket.IPPROTO_IP, ip_minttl, left)
                try:
                    client.connect((url.hostname, url.port))
                except TimeoutError:
                    assert not reached
                else:
                    assert reached


def test_another_local_user_is_refused(machine):
    assert os.geteuid() == 0, "only root can be another user"
    script = ("import sys, urllib.request, urllib.error\n"
              "request = urllib.request.Request(sys.argv[1], method='PUT', headers={'X-aws-ec2-metadata-token-ttl-seconds': '60'})\n"
              "try: print(urllib.request.urlopen(request).status)\n"
              "except urllib.error.HTTPError as error: print(error.code)\n")
    with machine.serving():
        url = machine.metadata + "/latest/api/token"
        for uid, status in ((0, "200"), (12345, "403")):
            asked = subprocess.run(["/usr/bin/python3", "-c", script, url], user=uid, group=uid, extra_groups=[], cwd="/",
                                   env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60)
            assert asked.stdout.strip() == status, asked


def test_credential_process_and_container_credentials(machine):
    config = machine.home / "config"
    config.write_text(f"[default]\ncredential_process = {binary()} agent credential-process --state-dir {machine.state}\n")
    env = {"AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_OUTPUT": "json"}
    identity = machine.run("aws", "sts", "get-caller-identity", env=env).json
    assert identity["Arn"].endswith(f"assumed-role/containerise/{machine.id}")

    tokens = machine.home / "tokens"
    with machine.serving("--container-token-dir", tokens):
        file = next(path for path in tokens.iterdir() if path.stat().st_uid == os.geteuid())
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": machine.metadata + "/v1/credentials",
               "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file), "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_DEFAULT_OUTPUT": "json"}
        assert machine.run("aws", "sts", "get-caller-identity", env=env).json == identity
        file.chmod(0o600)
        file.write_text("0" * 64)
        machine.run("aws", "sts", "get-caller-identity", env=env).failed("401")


def test_the_kubelet_pulls_with_the_hosts_role(machine):
    request = {"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest",
               "image": f"{machine.registry}/app:v1"}
    response = machine.agent("kubelet", input=json.dumps(request)).json
    assert response["kind"] == "CredentialProviderResponse" and response["cacheKeyType"] == "Registry"
    login = response["auth"][machine.registry]
    basic = base64.b64encode(f"{login['username']}:{login['password']}".encode()).decode()
    assert fetch(f"{machine.server.url}/v2/app/tags/list", Authorization=f"Basic {basic}")[0] == 200
    machine.agent("kubelet", input="{}").failed("request")
    # A service account's token never gets the host's login.
    account = request | {"serviceAccountToken": "a.b.c"}
    machine.agent("kubelet", input=json.dumps(account)).failed("annotation")


def test_a_revoked_host_is_refused_at_its_next_request(root, profile):
    machine = Machine.invited(root, profile)
    machine.joined.ok()
    with machine.serving():
        machine.aws("sts", "get-caller-identity").ok()
        held = token(machine)
        role = machine.metadata + "/latest/meta-data/iam/security-credentials/containerise"
        before = json.loads(fetch(role, X_aws_ec2_metadata_token=held)[2])
        outcome = root.run(binary(), "host", "revoke", machine.id).ok()
        assert outcome.out.strip() == f"revoked {machine.id}"
        keys = {"AWS_ACCESS_KEY_ID": before["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": before["SecretAccessKey"],
                "AWS_SESSION_TOKEN": before["Token"]}
        machine.run("aws", "sts", "get-caller-identity", env=keys).failed("InvalidClientTokenId")
        # The agent forgets what the server refuses, a second after it last asked at the latest.
        for _ in range(2000):
            status = fetch(role, X_aws_ec2_metadata_token=held)[0]
            if status == 404:
                break
        assert status == 404
    machine.agent("credential-process").failed("HostRevokedException", machine.id)


def test_administration_is_iams(root, profile):
    ana = root.create_user("ana", policy(allow("berth:ListHosts", "*")))
    ana.run(binary(), "host", "list").ok()
    ana.run(binary(), "host", "invite", "--instance-profile", profile).failed("berth:CreateHostInvitation")
    ana.run(binary(), "host", "revoke", "i-0123456789abcdef0").failed("berth:RevokeHost")
    root.run(binary(), "host", "revoke", "i-0123456789abcdef0").failed("HostNotFoundException")
    root.run(binary(), "host", "invite", "--instance-profile", "missing").failed("InstanceProfileNotFoundException")
