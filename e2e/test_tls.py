"""The server with a certificate: each client verifies it, and none talks to it without trusting it."""

import os
import shutil
import signal
import ssl
import subprocess
import time

import certifi
import pytest

from berth import images
from berth.policies import policy, push_and_pull
from berth.server import Server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate authority for this test, and a certificate for the loopback address."""
    home = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=home)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", 2, "-subj", "/CN=Test authority")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=berth")
    (home / "extensions").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2,
            "-extfile", "extensions", "-out", "server.crt")
    return home


@pytest.fixture(scope="module")
def alice(certificate, tmp_path_factory):
    options = ("--tls-cert", str(certificate / "server.crt"), "--tls-key", str(certificate / "server.key"))
    with Server(tmp_path_factory.mktemp("tls"), *options, ca=certificate / "ca.crt") as server:
        assert server.url.startswith("https://")
        root = server.root
        root.create_repository("app")
        yield root.create_user("alice", policy(*push_and_pull("app")))


def test_the_aws_clients_verify_it(alice):
    assert alice.aws("sts", "get-caller-identity").json["Arn"] == alice.arn
    alice.run("aws", "sts", "get-caller-identity", env={"AWS_CA_BUNDLE": certifi.where()}).failed(
        "certificate verify failed")
    token = alice.ecr.get_authorization_token()["authorizationData"][0]
    assert token["proxyEndpoint"] == alice.server.url


def test_docker_pushes_and_pulls(alice):
    alice.docker.login()
    message = alice.docker.build("app:v1")
    alice.docker.push("app:v1").ok()
    alice.docker.pull("app:v1").ok()
    assert alice.docker.message("app:v1") == message


def test_skopeo_and_ctr_verify_it(alice, certificate, layouts, tmp_path):
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    shutil.copy(certificate / "ca.crt", trusted)
    alice.skopeo("login", "--cert-dir", trusted, "--username", "AWS", "--password-stdin", alice.registry, input=alice.password).ok()
    layout = images.umoci_layout(layouts / "tls", "over TLS")
    target = f"docker://{alice.image('app:tls')}"
    alice.skopeo("copy", "--dest-cert-dir", trusted, layout, target).ok()
    alice.skopeo("copy", layout, target).failed("certificate signed by unknown authority")
    # As a node is configured; without it, containerd takes plain HTTP for granted at the loopback address.
    hosts = tmp_path / "hosts" / alice.registry
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(
        f'server = "{alice.server.url}"\n[host."{alice.server.url}"]\n  ca = "{certificate / "ca.crt"}"\n')
    user = ("--user", f"AWS:{alice.password}")
    alice.ctr("images", "pull", "--hosts-dir", hosts.parent, *user, alice.image("app:tls")).ok()
    assert alice.ctr.run("app:tls", "/bin/busybox", "cat", images.MESSAGE).out == "over TLS\n"


def test_plain_http_is_not_answered_as_if_it_were_tls(alice):
    plain = subprocess.run(["python3", "-c", "import http.client, sys\n"
                            "c = http.client.HTTPConnection(sys.argv[1], timeout=10); c.request('GET', '/v2/')\n"
                            "print(c.getresponse().status)", alice.registry], capture_output=True, text=True)
    assert plain.returncode != 0 or plain.stdout.startswith("4"), plain


def test_sighup_reads_a_renewed_certificate(alice, certificate):
    host, _, port = alice.registry.rpartition(":")
    shown = lambda: ssl.get_server_certificate((host, int(port)))  # noqa: E731
    before = shown()
    subprocess.run(["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days", "2", "-extfile", "extensions", "-out", "renewed.crt"], check=True, capture_output=True, cwd=certificate)
    (certificate / "renewed.crt").rename(certificate / "server.crt")
    os.kill(alice.server.pid, signal.SIGHUP)
    deadline = time.monotonic() + 8  # a change that nobody tells of is seen after ten seconds
    while shown() == before:
        assert time.monotonic() < deadline, "the earlier certificate is still served"
    assert ssl.PEM_cert_to_DER_cert(shown()) == ssl.PEM_cert_to_DER_cert((certificate / "server.crt").read_text())
    assert alice.sts.get_caller_identity()["Arn"] == alice.arn
