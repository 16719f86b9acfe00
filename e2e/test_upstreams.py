"""Upstreams of the pull through cache that fail, lie, are slow, want tokens or certificates, and what Berth adds to rules."""

import http.client
import json
import threading
import urllib.request

import pytest

from berth import images
from berth.audit import events
from berth.images import Image, descriptor
from berth.issuer import Issuer
from berth.people import failing
from berth.policies import LOGIN, PULL, allow, policy
from berth.pull_through import IMPORT, is_listed, pulled, rule
from berth.server import Server
from berth.service import MODEL
from berth.upstream import PASSWORD, USER, Link, Tokens, Upstream, server_context
from berth.waiting import until

#: Any manifest, as docker asks for it.
ANY = {"Accept": "*/*"}


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("upstreams"), "--outbound-allow", "127.0.0.0/8",
                "--outbound-allow", "10.231.0.0/16") as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """boto3 knows the service `berth` once it has the model."""
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def settings(root, prefix, **wanted):
    return root.boto("berth").put_pull_through_cache_settings(ecrRepositoryPrefix=prefix, **wanted)["settings"]


def stored(root, repository, tag):
    until(lambda: is_listed(root, repository, tag), f"{repository}:{tag} is not stored")


def failure(berth, repository):
    """The event of an image that was not stored."""
    found = events(berth, eventName="BatchImportUpstreamImage", where=lambda one: repository in json.dumps(one)
                   and one["serviceEventDetails"]["result"] == "FAILURE")
    return found[-1]["serviceEventDetails"]


@pytest.mark.parametrize("name, tokens", [
    ("hub", Tokens("/token", "registry.docker.io", {"token": None, "access_token": None, "expires_in": 300,
                                                    "issued_at": "2026-11-27T20:00:00Z"})),
    ("quay", Tokens("/v2/auth", "quay.io", {"token": None})),
    ("github", Tokens("/token", "ghcr.io", {"token": None}, refusal=403)),
    ("gitlab", Tokens("/jwt/auth", "container_registry", {"token": None, "expires_in": 900})),
    ("azure", Tokens("/oauth2/token", "team.azurecr.io", {"access_token": None})),
])
def test_token_services(root, upstream, name, tokens):
    image = upstream.add(Image(), "v1")
    upstream.tokens = tokens
    rule(root, f"t-{name}", upstream.url, (USER, PASSWORD))
    pulled(root.raw(), f"t-{name}/team/app", "v1", image)
    stored(root, f"t-{name}/team/app", "v1")
    # One token for all that was pulled.
    assert [scope for _, scope in tokens.given] == [["repository:team/app:pull"]]
    rule(root, f"w-{name}", upstream.url, (USER, "wrong"))
    valid = root.ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix=f"w-{name}")
    assert valid["isValid"] is False, valid
    root.raw()("GET", f"/v2/w-{name}/team/app/manifests/v1").error(403, "DENIED")


def test_the_next_upstream_where_one_fails_or_has_it_not(root, upstream):
    with Upstream() as first:
        rule(root, "several", first.url)
        shown = settings(root, "several", upstreams=[
            {"upstreamRegistryUrl": "http://127.0.0.1:1"},
            {"upstreamRegistryUrl": upstream.url, "upstreamRepositoryPrefix": "mirror"}])
        assert [one["upstreamRepositoryPrefix"] for one in shown["upstreams"]] == ["ROOT", "mirror"]
        for tag, status in (("absent", None), ("busy", 429), ("broken", 500), ("denied", 403)):
            image = upstream.add(Image(), tag)
            first.status = status
            pulled(root.raw(), "several/app", tag, image)
            stored(root, "several/app", tag)
        assert any(path.startswith("/v2/app/manifests/absent") for path in first.asked)
        assert all(path.startswith("/v2/mirror/app/") for path in upstream.asked)
        # A lie is not passed over.
        first.status = None
        lied = upstream.add(Image(), "lied")
        first.put(b"{}", images.OCI_MANIFEST, "lied")
        root.raw()("GET", "/v2/several/app/manifests/lied", headers=ANY).expect(502)
        assert not is_listed(root, "several/app", "lied") and lied
        told = root.ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="several")
        assert told["isValid"] is False and "127.0.0.1:1" in told["failure"], told
        root.boto("berth").delete_pull_through_cache_settings(ecrRepositoryPrefix="several")
        assert root.ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="several")["isValid"] is True


def test_a_filter_of_platforms(root, upstream):
    amd, arm = upstream.add(Image()), upstream.add(Image())
    entries = [descriptor(images.OCI_MANIFEST, one.manifest, platform={"os": "linux", "architecture": name})
               for name, one in (("amd64", amd), ("arm64", arm))]
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": entries}).encode()
    digest = upstream.put(index, images.OCI_INDEX, "v1")
    rule(root, "filtered", upstream.url)
    settings(root, "filtered", platforms=["linux/arm64"])
    raw = root.raw()
    assert raw("GET", "/v2/filtered/app/manifests/v1", headers=ANY).expect(200).body == index
    stored(root, "filtered/app", "v1")
    assert not any(amd.digest in path for path in upstream.asked)
    kept = {one["imageDigest"] for one in root.ecr.describe_images(repositoryName="filtered/app")["imageDetails"]}
    assert kept == {digest, arm.digest}
    # What is not here is at the upstream.
    pulled(raw, "filtered/app", amd.digest, amd)
    failing(settings, "InvalidParameterException", root=root, prefix="filtered", platforms=["linux"])


def test_an_authority_and_a_client_certificate(root, berth, tmp_path):
    issuer = Issuer(tmp_path / "tls")
    context = server_context(issuer, client_ca=issuer.ca)
    certificate, key = (issuer.home / "server.crt").read_text(), (issuer.home / "server.key").read_text()
    with Upstream(tls=context) as upstream:
        image = upstream.add(Image(), "v1")
        rule(root, "mutual", upstream.host)
        root.raw()("GET", "/v2/mutual/app/manifests/v1").error(503, "UNAVAILABLE")
        # The server is trusted, and wants to see a certificate.
        settings(root, "mutual", certificateAuthority=issuer.ca.read_text())
        root.raw()("GET", "/v2/mutual/app/manifests/v1").error(503, "UNAVAILABLE")
        failing(settings, "InvalidParameterException", root=root, prefix="mutual", clientCertificate=certificate)
        failing(settings, "InvalidParameterException", root=root, prefix="mutual", clientCertificate=certificate,
                clientKey="no key")
        wanted = {"certificateAuthority": issuer.ca.read_text(), "clientCertificate": certificate}
        assert settings(root, "mutual", clientKey=key, **wanted)["hasClientKey"] is True
        pulled(root.raw(), "mutual/app", "v1", image)
        # The key stays with its certificate.
        shown = settings(root, "mutual", tagFreshnessSeconds=60, **wanted)
        assert shown["hasClientKey"] is True and "clientKey" not in shown
        stored(root, "mutual/app", "v1")
    secret = key.splitlines()[1]
    for text in (berth.log.read_text(), json.dumps(events(berth)), json.dumps(shown, default=str)):
        assert secret not in text


def test_freshness_and_forced_refresh(root, upstream):
    first = upstream.add(Image(), "v1")
    rule(root, "fresh", upstream.url)
    pulled(root.raw(), "fresh/app", "v1", first)
    stored(root, "fresh/app", "v1")
    second = upstream.add(Image(), "v1")
    pulled(root.raw(), "fresh/app", "v1", first)
    reader = root.create_user("fresh-reader", policy(allow(PULL, "*"), allow("berth:RefreshPullThroughCache", "*"), LOGIN))
    ask = {"repositoryName": "fresh/app", "imageTag": "v1"}
    failing(reader.boto("berth").refresh_pull_through_cache, "AccessDeniedException", **ask)
    client = root.boto("berth")
    refreshed = client.refresh_pull_through_cache(**ask)
    assert (refreshed["status"], refreshed["imageDigest"], refreshed["previousImageDigest"]) == (
        "IMPORTING", second.digest, first.digest)
    until(lambda: client.refresh_pull_through_cache(**ask)["status"] == "UNCHANGED", "the image is not stored")
    pulled(root.raw(), "fresh/app", "v1", second)
    failing(client.refresh_pull_through_cache, "ImageNotFoundException", repositoryName="fresh/app", imageTag="none")
    failing(client.refresh_pull_through_cache, "InvalidParameterException", repositoryName="elsewhere", imageTag="v1")
    # Without a moment of freshness each pull asks.
    settings(root, "fresh", tagFreshnessSeconds=0)
    third = upstream.add(Image(), "v1")
    pulled(root.raw(), "fresh/app", "v1", third)
    # A tag that never moves stays, and a failing upstream is told.
    stored(root, "fresh/app", "v1")
    upstream.status = 500
    failing(client.refresh_pull_through_cache, "UnableToGetUpstreamImageException", **ask)
    root.ecr.put_image_tag_mutability(repositoryName="fresh/app", imageTagMutability="IMMUTABLE")
    assert client.refresh_pull_through_cache(**ask)["status"] == "IMMUTABLE"


def test_the_ecr_api_asks_the_upstream(root, upstream):
    image, other = upstream.add(Image(), "v1"), upstream.add(Image(), "v2")
    rule(root, "api", upstream.url)
    may = policy(allow((*PULL, *IMPORT), "arn:aws:ecr:*:*:repository/api/*"))
    importer, puller = root.create_user("api-importer", may), root.create_user("api-puller", policy(allow(PULL, "*")))
    ask = {"repositoryName": "api/app", "imageIds": [{"imageTag": "v1"}]}
    failing(puller.ecr.batch_get_image, "RepositoryNotFoundException", **ask)
    got = importer.ecr.batch_get_image(**ask)
    assert [one["imageManifest"].encode() for one in got["images"]] == [image.manifest] and not got["failures"]
    assert got["images"][0]["imageId"] == {"imageTag": "v1", "imageDigest": image.digest}
    stored(root, "api/app", "v1")
    denied = puller.ecr.batch_get_image(repositoryName="api/app", imageIds=[{"imageTag": "v2"}])
    assert [one["failureCode"] for one in denied["failures"]] == ["ImageNotFound"]
    # Layers of what nobody has pulled.
    layer = images.digest(other.layer)
    failing(puller.ecr.get_download_url_for_layer, "LayersNotFoundException", repositoryName="api/app", layerDigest=layer)
    # As an SDK pulls: the manifest, and at once its layers, while the image is being stored.
    assert importer.ecr.batch_get_image(repositoryName="api/app", imageIds=[{"imageDigest": other.digest}])["images"]
    url = importer.ecr.get_download_url_for_layer(repositoryName="api/app", layerDigest=layer)["downloadUrl"]
    assert urllib.request.urlopen(url).read() == other.layer
    config = images.digest(other.config)
    asked = importer.ecr.batch_check_layer_availability(repositoryName="api/app", layerDigests=[config, "sha256:" + "0" * 64])
    found = {one["layerDigest"]: one["layerAvailability"] for one in asked["layers"]}
    assert found == {config: "AVAILABLE", "sha256:" + "0" * 64: "UNAVAILABLE"}
    for status, code in ((403, "UpstreamAccessDenied"), (503, "UpstreamUnavailable"), (429, "UpstreamTooManyRequests")):
        upstream.status = status
        failed = importer.ecr.batch_get_image(repositoryName="api/app", imageIds=[{"imageTag": "v3"}, {"imageTag": "v1"}])
        assert [one["failureCode"] for one in failed["failures"]] == [code]
        assert [one["imageId"]["imageTag"] for one in failed["images"]] == ["v1"]
    failing(importer.ecr.get_download_url_for_layer, "UnableToGetUpstreamLayerException", repositoryName="api/app",
            layerDigest="sha256:" + "1" * 64)


@pytest.mark.parametrize("by_tag", [False, True], ids=["by the API", "by the tag"])
def test_referrers(root, upstream, by_tag):
    image = upstream.add(Image(), "v1")
    subject = descriptor(images.OCI_MANIFEST, image.manifest)
    signature = upstream.add(Image(artifactType="application/vnd.example.signature", subject=subject))
    listed = [descriptor(images.OCI_MANIFEST, signature.manifest, artifactType="application/vnd.example.signature")]
    if by_tag:
        upstream.referrers = None
        index = {"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": listed}
        upstream.put(json.dumps(index).encode(), images.OCI_INDEX, image.digest.replace(":", "-"))
    else:
        upstream.referrers[image.digest] = listed
    prefix = "signed-tag" if by_tag else "signed-api"
    rule(root, prefix, upstream.url)
    raw = root.raw()
    pulled(raw, f"{prefix}/app", "v1", image)
    stored(root, f"{prefix}/app", "v1")
    shown = raw("GET", f"/v2/{prefix}/app/referrers/{image.digest}").expect(200).json["manifests"]
    assert [one["digest"] for one in shown] == [signature.digest]
    pulled(raw, f"{prefix}/app", signature.digest, signature)


def test_an_upstream_that_has_enough_is_left_alone(root, upstream):
    upstream.status, upstream.headers = 429, {"Retry-After": "600"}
    rule(root, "enough", upstream.url)
    raw = root.raw()
    answer = raw("GET", "/v2/enough/app/manifests/v1").error(429, "TOOMANYREQUESTS")
    assert 0 < int(answer["Retry-After"]) <= 600
    answer = raw("GET", "/v2/enough/app/manifests/v2").error(429, "TOOMANYREQUESTS")
    assert 0 < int(answer["Retry-After"]) <= 600
    assert upstream.manifests_asked() == ["/v2/app/manifests/v1"]


def test_an_import_survives_the_server(tmp_path):
    with Upstream() as upstream, Server(tmp_path / "killed", "--outbound-allow", "127.0.0.0/8") as server:
        image = upstream.add(Image(layer_bytes=1 << 20), "v1")
        upstream.gate = threading.Event()
        rule(server.root, "killed", upstream.url)
        got = server.root.raw()("GET", "/v2/killed/app/manifests/v1", headers=ANY).expect(200)
        assert got.body == image.manifest
        until(lambda: upstream.sent, "the layer is not asked for")
        server.kill()
        server.start()
        assert not is_listed(server.root, "killed/app", "v1")
        upstream.gate.set()
        # Nobody pulls again.
        stored(server.root, "killed/app", "v1")
        pulled(server.root.raw(), "killed/app", "v1", image)


def test_a_link_that_is_cut_in_a_layer(root, berth):
    with Link("ptc-cut", "10.231.1") as link, Upstream((link.far, 0), link.namespace) as upstream:
        image = upstream.add(Image(layer_bytes=4 << 20), "v1")
        upstream.gate = threading.Event()
        rule(root, "cut", upstream.url)
        raw, layer = root.raw(), images.digest(image.layer)
        raw("GET", "/v2/cut/app/manifests/v1", headers=ANY).expect(200)
        threading.Timer(0, lambda: (until(lambda: upstream.sent, "no layer"), link.cut())).start()
        # The client sees that it has not all.
        with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected, AssertionError)):
            raw("GET", f"/v2/cut/app/blobs/{layer}").expect(200)
        assert failure(berth, "cut/app")["failureReason"]
        assert not is_listed(root, "cut/app", "v1")
        assert root.ecr.describe_images(repositoryName="cut/app")["imageDetails"] == []
        link.mend()
        upstream.gate.set()
        pulled(root.raw(), "cut/app", "v1", image)
        stored(root, "cut/app", "v1")


def test_a_slow_link(root):
    with Link("ptc-slow", "10.231.2") as link, Upstream((link.far, 0), link.namespace) as upstream:
        image = upstream.add(Image(layer_bytes=1 << 20), "v1")
        rule(root, "slow", upstream.url)
        link.slow("4mbit")
        raw, layer = root.raw(), images.digest(image.layer)
        raw("GET", "/v2/slow/app/manifests/v1", headers=ANY).expect(200)
        assert raw("GET", f"/v2/slow/app/blobs/{layer}").expect(200).body == image.layer
        stored(root, "slow/app", "v1")
        blobs = [path for path in upstream.asked if path.endswith(layer)]
        assert len(blobs) == 1, "the layer is fetched once, by the client and the import together"


def test_a_lie_on_the_way(root, berth, upstream):
    image = upstream.add(Image(layer_bytes=1 << 20), "v1")
    layer = images.digest(image.layer)
    upstream.lies.add(layer)
    rule(root, "lie", upstream.url)
    raw = root.raw()
    raw("GET", "/v2/lie/app/manifests/v1", headers=ANY).expect(200)
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected, AssertionError)):
        raw("GET", f"/v2/lie/app/blobs/{layer}").expect(200)
    told = failure(berth, "lie/app")
    assert layer in told["failureReason"] and told["pulledBy"] == root.arn, told
    assert root.ecr.describe_images(repositoryName="lie/app")["imageDetails"] == []
    # The upstream tells the truth again.
    upstream.lies.clear()
    pulled(root.raw(), "lie/app", "v1", image)
    stored(root, "lie/app", "v1")
