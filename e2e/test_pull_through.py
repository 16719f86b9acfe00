"""The pull through cache: another Berth and Debian's docker-registry as upstreams, by docker, the AWS CLI and plain HTTP."""

import concurrent.futures
import http.client
import http.server
import json
import threading
import time

import pytest

from berth import images
from berth.audit import events
from berth.images import Image
from berth.people import failing
from berth.peers import PASSWORD, USER, Distribution
from berth.policies import LOGIN, PULL, allow, policy
from berth.raw import Raw
from berth.server import Server

#: What a pull needs for what is not cached.
IMPORT = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
WAIT_S = 60


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("cache"), "--outbound-allow", "127.0.0.0/8") as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


@pytest.fixture(scope="module")
def distribution(tmp_path_factory):
    with Distribution(tmp_path_factory.mktemp("distribution")) as upstream:
        yield upstream


def rule(root, prefix, url, secret=None):
    """A rule whose secret is `(user, token)`. By boto3: the AWS CLI, version 1, reads a parameter that begins with `http://` from there."""
    more = {}
    if secret:
        value = json.dumps({"username": secret[0], "accessToken": secret[1]})
        made = root.aws("secretsmanager", "create-secret", "--name", f"ecr-pullthroughcache/{prefix}",
                        "--secret-string", value).json
        more["credentialArn"] = made["ARN"]
    return root.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=url, **more)


def until(true, what):
    ends = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


def is_listed(root, repository, tag):
    """Whether the image is stored: the tag is set once everything is here."""
    tags = root.raw()("GET", f"/v2/{repository}/tags/list")
    return tags.status == 200 and tag in (tags.json["tags"] or [])


def pulled(raw, repository, reference, image):
    """The whole image, by tag and then by digest, as a client pulls it."""
    got = raw("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": "*/*"}).expect(200)
    assert got["Docker-Content-Digest"] == image.digest
    raw.pull(repository, image)


def test_an_image_comes_from_docker_registry_with_basic_credentials(root, distribution):
    image = Image()
    Raw(distribution, USER, PASSWORD).push("library/app", "v1", image).expect(201)
    rule(root, "debian", distribution.url, (USER, PASSWORD))
    valid = root.aws("ecr", "validate-pull-through-cache-rule", "--ecr-repository-prefix", "debian").json
    assert valid["isValid"] is True, valid
    pulled(root.raw(), "debian/library/app", "v1", image)
    until(lambda: is_listed(root, "debian/library/app", "v1"), "the image is not stored")
    details = root.ecr.describe_images(repositoryName="debian/library/app")["imageDetails"]
    assert [one["imageDigest"] for one in details] == [image.digest]


def test_wrong_credentials_are_named_and_no_secret_is_shown(root, distribution, berth):
    rule(root, "wrong", distribution.url, (USER, "another-token"))
    valid = root.aws("ecr", "validate-pull-through-cache-rule", "--ecr-repository-prefix", "wrong").json
    assert valid["isValid"] is False and valid["failure"], valid
    root.raw()("GET", "/v2/wrong/library/app/manifests/v1").error(403, "DENIED")
    assert any(one["eventName"] == "CreateSecret" for one in events(berth, eventSource="secretsmanager.amazonaws.com"))
    for text in (berth.log.read_text(), json.dumps(events(berth))):
        assert "another-token" not in text


def test_docker_pulls_through_another_berth(root, tmp_path):
    with Server(tmp_path / "upstream") as upstream:
        image, other, docker = Image(), upstream.root, root.docker
        other.create_repository("team/app")
        other.raw().push("team/app", "v1", image).expect(201)
        rule(root, "other", upstream.url, ("AWS", other.password))
        pulled(root.raw(), "other/team/app", "v1", image)
        until(lambda: is_listed(root, "other/team/app", "v1"), "the image is not stored")
        other.docker.login()
        message = other.docker.build("team/app:real")
        other.docker.push("team/app:real").ok()
        docker.login()
        docker.pull("other/team/app:real").ok()
        assert docker.message("other/team/app:real") == message
        until(lambda: is_listed(root, "other/team/app", "real"), "the image is not stored")
    # The upstream is gone: what is cached is served, the rest is said to be unavailable.
    pulled(root.raw(), "other/team/app", "v1", image)
    docker.pull("other/team/app:real").ok()
    root.raw()("GET", "/v2/other/team/app/manifests/none").error(503, "UNAVAILABLE")


def test_who_may_import(root, distribution):
    image = Image()
    Raw(distribution, USER, PASSWORD).push("library/guarded", "v1", image).expect(201)
    rule(root, "guarded", distribution.url, (USER, PASSWORD))
    may = "arn:aws:ecr:*:*:repository/guarded/*"
    puller = root.create_user("ptc-puller", policy(allow(PULL, may), LOGIN))
    importer = root.create_user("ptc-importer", policy(allow(PULL + IMPORT, may), LOGIN))
    path = "/v2/guarded/library/guarded/manifests/v1"
    puller.raw()("GET", path).error(404, "NAME_UNKNOWN")
    pulled(importer.raw(), "guarded/library/guarded", "v1", image)
    until(lambda: is_listed(root, "guarded/library/guarded", "v1"), "the image is not stored")
    pulled(puller.raw(), "guarded/library/guarded", "v1", image)
    puller.raw()("GET", "/v2/guarded/library/guarded/manifests/v2").error(404, "MANIFEST_UNKNOWN", "Requested image not found")


class Played:
    """An upstream that the story plays: counts what it is asked, and lies where it is told to."""

    def __init__(self):
        self.image, self.lies, self.asked, self.status = Image(), False, [], None
        played = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                played.asked.append(self.path)
                if played.status:
                    return self.answer(played.status, b"{}")
                if "/manifests/" in self.path:
                    return self.answer(200, played.image.manifest, played.image.media_type)
                for blob in played.image.blobs:
                    if self.path.endswith(images.digest(blob)):
                        return self.answer(200, bytes(len(blob)) if played.lies and blob == played.image.layer else blob)
                return self.answer(404, b"{}")

            def answer(self, status, body, kind="application/octet-stream"):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_a_mirror_s_requests_name_the_registry(root):
    upstream = Played()
    rule(root, "mirror", upstream.url)
    raw, image = root.raw(), upstream.image
    query = "?ns=" + upstream.url.removeprefix("http://")
    got = raw("GET", f"/v2/app/manifests/v1{query}", headers={"Accept": "*/*"}).expect(200)
    assert got.body == image.manifest
    for blob in image.blobs:
        assert raw("GET", f"/v2/app/blobs/{images.digest(blob)}{query}").expect(200).body == blob
    until(lambda: is_listed(root, "mirror/app", "v1"), "the image is not stored")
    raw("GET", "/v2/app/manifests/v1?ns=unknown.example.com").error(404, "NAME_UNKNOWN")


def test_twenty_concurrent_pulls_ask_the_upstream_once(root):
    upstream = Played()
    rule(root, "once", upstream.url)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        for one in [pool.submit(pulled, root.raw(), "once/app", "v1", upstream.image) for _ in range(20)]:
            one.result()
    until(lambda: is_listed(root, "once/app", "v1"), "the image is not stored")
    blobs = [path for path in upstream.asked if "/blobs/" in path]
    assert sorted(blobs) == sorted({f"/v2/app/blobs/{images.digest(blob)}" for blob in upstream.image.blobs})
    assert [path for path in upstream.asked if "/manifests/v1" in path] == ["/v2/app/manifests/v1"]


def test_a_lying_upstream_leaves_nothing(root, berth):
    upstream = Played()
    upstream.lies = True
    rule(root, "liar", upstream.url)
    raw, layer = root.raw(), upstream.image.layer
    raw("GET", "/v2/liar/app/manifests/v1", headers={"Accept": "*/*"}).expect(200)
    try:
        got = raw("GET", f"/v2/liar/app/blobs/{images.digest(layer)}")
    except http.client.RemoteDisconnected:
        pass  # Cut before the first bytes left the server.
    except http.client.IncompleteRead as cut:
        assert len(cut.partial) < len(layer)
    else:
        got.expect(502)
    until(lambda: any("liar/app" in text and "FAILURE" in text for text in map(
        json.dumps, events(berth, eventName="BatchImportUpstreamImage"))), "the lie is not reported")
    assert not is_listed(root, "liar/app", "v1")
    assert root.ecr.describe_images(repositoryName="liar/app")["imageDetails"] == []


def test_an_upstream_that_has_enough(root):
    upstream = Played()
    rule(root, "busy", upstream.url)
    upstream.status = 429
    answer = root.raw()("GET", "/v2/busy/app/manifests/v1").error(429, "TOOMANYREQUESTS")
    assert answer["Retry-After"]
    upstream.status = 503
    root.raw()("GET", "/v2/busy/app/manifests/v1").error(503, "UNAVAILABLE")
    failing(root.ecr.describe_repositories, "RepositoryNotFoundException", repositoryNames=["busy/app"])


def test_private_addresses_need_outbound_allow(tmp_path):
    upstream = Played()
    with Server(tmp_path / "closed") as server:
        rule(server.root, "lab", upstream.url)
        server.root.raw()("GET", "/v2/lab/app/manifests/v1").error(503, "UNAVAILABLE")
    assert upstream.asked == []


def test_a_secret_by_the_aws_cli(root):
    name = "ecr-pullthroughcache/story"
    made = root.aws("secretsmanager", "create-secret", "--name", name, "--secret-string", "one").json
    shown = root.aws("secretsmanager", "get-secret-value", "--secret-id", name).json
    assert shown["SecretString"] == "one" and shown["ARN"] == made["ARN"]
    root.aws("secretsmanager", "put-secret-value", "--secret-id", name, "--secret-string", "two").ok()
    assert root.aws("secretsmanager", "get-secret-value", "--secret-id", made["ARN"]).json["SecretString"] == "two"
    listed = root.aws("secretsmanager", "list-secrets", "--filters", f"Key=name,Values={name}").json["SecretList"]
    assert [one["Name"] for one in listed] == [name]
    root.aws("secretsmanager", "delete-secret", "--secret-id", name, "--recovery-window-in-days", "7").ok()
    root.aws("secretsmanager", "get-secret-value", "--secret-id", name).failed("InvalidRequestException")
    root.aws("secretsmanager", "restore-secret", "--secret-id", name).ok()
    root.aws("secretsmanager", "delete-secret", "--secret-id", name, "--force-delete-without-recovery").ok()
    root.aws("secretsmanager", "describe-secret", "--secret-id", name).failed("ResourceNotFoundException")
    root.aws("secretsmanager", "create-secret", "--name", "database", "--secret-string", "x").failed("ecr-pullthroughcache/")
