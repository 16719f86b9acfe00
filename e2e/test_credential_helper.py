"""Amazon's credential helper for docker, unmodified: it knows registries by AWS's host names alone, so the names lead to
Berth, in a mount namespace with a hosts file of its own."""

import json
import subprocess

import pytest

from berth import clients, images
from berth.policies import policy, push_and_pull
from berth.server import ACCOUNT, REGION, Server

REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
API = f"api.ecr.{REGION}.amazonaws.com"
#: An address of the loopback network on which nothing else listens; the helper's names leave no room for a port.
ADDRESS = "127.0.77.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    home = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=home)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", 2, "-subj", "/CN=Test authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=berth")
    (home / "extensions").write_text(f"subjectAltName=IP:{ADDRESS},DNS:{REGISTRY},DNS:{API}\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2,
            "-extfile", "extensions", "-out", "server.crt")
    return home


@pytest.fixture(scope="module")
def alice(certificate, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("helper"), "--tls-cert", str(certificate / "server.crt"),
                    "--tls-key", str(certificate / "server.key"), "--public-url", f"https://{REGISTRY}",
                    ca=certificate / "ca.crt", listen=f"{ADDRESS}:443")
    with server:
        server.root.create_repository("app")
        yield server.root.create_user("alice", policy(*push_and_pull("app")))


@pytest.fixture
def at_aws_names(alice, certificate, tmp_path):
    """Runs a command where AWS's names lead to the server and docker's credentials come from the helper."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{ADDRESS} {REGISTRY} {API}\n")
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {REGISTRY: "ecr-login"}}))

    def run(*command):
        script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'
        return alice.run("unshare", "--mount", "sh", "-c", script, "sh", hosts, *command, env={
            "DOCKER_CONFIG": str(tmp_path), "SSL_CERT_FILE": str(certificate / "ca.crt"),
            # Debian's version of the helper does not know it; the host names decide.
            "AWS_ENDPOINT_URL": "",
        })
    return run


def test_push_and_pull_without_a_login(at_aws_names, tmp_path):
    layout = images.umoci_layout(tmp_path / "image", "hello").removeprefix("oci:").rpartition(":")[0]
    at_aws_names(clients.tool("crane"), "push", layout, f"{REGISTRY}/app:v1").ok()
    at_aws_names(clients.tool("crane"), "pull", "--format", "oci", f"{REGISTRY}/app:v1", tmp_path / "back").ok()
    at_aws_names(clients.tool("crane"), "push", layout, f"{REGISTRY}/other:v1").failed("403 Forbidden")


def test_the_helper_prints_a_login(alice, at_aws_names):
    made = at_aws_names("sh", "-c", f"echo {REGISTRY} | docker-credential-ecr-login get").json
    assert made["Username"] == "AWS" and made["Secret"]
