"""The registry's routes one by one, without a client: OCI Distribution Specification 1.1, with Amazon ECR's words.

"Pull", "Push", "Content Discovery" and "Content Management" are the specification's chapters.
"""

import hashlib
import json
import secrets
import socket

import pytest

from berth import images
from berth.outcome import NO_IDENTITY_POLICY, refusal
from berth.policies import LOGIN, allow, deny, policy, pull_only, push_and_pull
from berth.raw import Raw, with_query

APP = "/v2/app"
OCTETS = {"Content-Type": "application/octet-stream"}
ANY = {"Accept": "*/*"}


@pytest.fixture(scope="module")
def registry(root):
    """A writer's connection; the repositories `app` and `team/app`."""
    root.create_repository("app")
    root.create_repository("team/app")
    writer = root.create_user("writer", policy(
        *push_and_pull("app", "team/app"), allow(["ecr:BatchDeleteImage", "ecr:ListImageReferrers"], "*")))
    return writer.raw()


@pytest.fixture(scope="module")
def pushed(registry):
    """An image that is there for reading."""
    image = images.Image(layer_bytes=200_000)
    registry.push("app", "steady", image).expect(201)
    return image


# The base route and the challenge.

@pytest.mark.parametrize("path", ["/v2/", "/v2/app/manifests/v1", "/v2/app/tags/list", "/v2/_catalog",
                                  "/v2/app/blobs/sha256:" + "0" * 64, "/v2/nowhere/tags/list"])
def test_without_credentials_each_route_challenges(berth, path):
    answer = Raw(berth)("GET", path)
    answer.error(401, "UNAUTHORIZED")
    assert answer["WWW-Authenticate"] == f'Basic realm="http://{berth.registry}/",service="ecr.amazonaws.com"'
    assert answer["Docker-Distribution-Api-Version"] == "registry/2.0"


@pytest.mark.parametrize("user, password", [("AWS", "nonsense"), ("AWS", ""), ("aws", None), ("root", None), ("", "")])
def test_a_wrong_login_is_no_login(berth, root, user, password):
    Raw(berth, user, root.password if password is None else password)("GET", "/v2/").expect(401, 403)


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic QVdT", "Bearer x", "Basic " + "A" * 5000, "Negotiate x"])
def test_a_broken_authorization_header_is_no_login(berth, header):
    answer = Raw(berth)("GET", "/v2/", headers={"Authorization": header})
    answer.expect(400, 401, 403)
    assert answer.json["errors"]


def test_the_base_route(registry):
    answer = registry("GET", "/v2/").expect(200)
    assert answer["Docker-Distribution-Api-Version"] == "registry/2.0"
    registry("GET", "/v2").expect(200, 301, 308)


# Pull.

def test_a_manifest_comes_back_byte_for_byte(registry, pushed):
    for reference in ("steady", pushed.digest):
        got = registry("GET", f"{APP}/manifests/{reference}", headers=ANY).expect(200)
        assert got.body == pushed.manifest
        assert got["Content-Type"] == images.OCI_MANIFEST
        assert got["Docker-Content-Digest"] == pushed.digest
        head = registry("HEAD", f"{APP}/manifests/{reference}", headers=ANY).expect(200)
        assert (head["Content-Length"], head["Docker-Content-Digest"]) == (str(len(pushed.manifest)), pushed.digest)
        assert head.body == b""


def test_a_blob_comes_back_whole_and_in_part(registry, pushed):
    place, content = f"{APP}/blobs/{images.digest(pushed.layer)}", pushed.layer
    size = len(content)
    whole = registry("GET", place).expect(200)
    assert whole.body == content and whole["Docker-Content-Digest"] == images.digest(content)
    head = registry("HEAD", place).expect(200)
    assert (head["Content-Length"], head.body) == (str(size), b"")

    for header, part in {"bytes=0-0": content[:1], "bytes=100-199": content[100:200], "bytes=1000-": content[1000:],
                         "bytes=-77": content[-77:], f"bytes=0-{size * 2}": content}.items():
        answer = registry("GET", place, headers={"Range": header}).expect(206)
        assert answer.body == part, header
        first = size - len(part) if header.startswith("bytes=-") else int(header[6:].partition("-")[0])
        assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{size}"
    answer = registry("GET", place, headers={"Range": f"bytes={size}-"}).expect(416)
    assert answer["Content-Range"] == f"bytes */{size}"
    # A unit that is not known is as if there were no Range (RFC 9110, section 14.2).
    assert registry("GET", place, headers={"Range": "lines=1-2"}).expect(200).body == content


def test_what_is_not_there(registry):
    nothing = images.digest(b"nothing of the kind")
    registry("GET", f"{APP}/manifests/no-such-tag", headers=ANY).error(404, "MANIFEST_UNKNOWN")
    registry("GET", f"{APP}/manifests/{nothing}", headers=ANY).error(404, "MANIFEST_UNKNOWN")
    registry("GET", f"{APP}/blobs/{nothing}").error(404, "BLOB_UNKNOWN")
    registry("HEAD", f"{APP}/manifests/no-such-tag", headers=ANY).expect(404)
    registry("HEAD", f"{APP}/blobs/{nothing}").expect(404)
    registry("GET", f"{APP}/blobs/uploads/{'0' * 8}-0000-4000-8000-{'0' * 12}").error(404, "BLOB_UPLOAD_UNKNOWN")


# Push.

def test_a_blob_in_one_request(registry):
    content = secrets.token_bytes(5000)
    answer = registry("POST", f"{APP}/blobs/uploads/?digest={images.digest(content)}", content, OCTETS)
    # Who does not take it whole answers 202, and the client goes on with a PUT.
    if answer.expect(201, 202).status == 202:
        answer = registry("PUT", with_query(answer.location, digest=images.digest(content)), content, OCTETS).expect(201)
    assert registry("GET", answer.location).expect(200).body == content


def test_a_blob_in_two_requests(registry):
    content = secrets.token_bytes(5000)
    answer = registry.put_blob("app", content).expect(201)
    assert answer["Docker-Content-Digest"] == images.digest(content)
    assert registry("GET", answer.location).expect(200).body == content


def test_a_blob_in_chunks(registry):
    content = secrets.token_bytes(30_000)
    place = registry.start_upload("app")
    for start in range(0, len(content), 10_000):
        answer = registry("PATCH", place, content[start:start + 10_000],
                          OCTETS | {"Content-Range": f"{start}-{start + 9_999}"}).expect(202)
        assert answer["Range"] == f"0-{start + 9_999}"
        place = answer.location
    registry("PUT", with_query(place, digest=images.digest(content))).expect(201)
    assert registry("GET", f"{APP}/blobs/{images.digest(content)}").expect(200).body == content


def test_the_last_chunk_may_come_with_the_put(registry):
    content = secrets.token_bytes(7_000)
    place = registry("PATCH", registry.start_upload("app"), content[:4_000], OCTETS).expect(202).location
    registry("PUT", with_query(place, digest=images.digest(content)), content[4_000:],
             OCTETS | {"Content-Range": "4000-6999"}).expect(201)
    assert registry("GET", f"{APP}/blobs/{images.digest(content)}").expect(200).body == content


def test_a_chunk_out_of_order_is_refused_and_nothing_is_lost(registry):
    content = secrets.token_bytes(3_000)
    place = registry("PATCH", registry.start_upload("app"), content[:1_000], OCTETS | {"Content-Range": "0-999"}).expect(202).location
    for wrong in ("2000-2999", "0-999", "999-1998"):
        answer = registry("PATCH", place, content[:1_000], OCTETS | {"Content-Range": wrong}).expect(416)
        assert answer["Range"] in (None, "0-999")
    status = registry("GET", place).expect(204)
    assert status["Range"] == "0-999"
    registry("PUT", with_query(status.location, digest=images.digest(content)), content[1_000:], OCTETS).expect(201)


def test_a_cut_connection_resumes_where_the_server_stands(registry):
    content = secrets.token_bytes(4_000_000)
    place = registry.start_upload("app")
    connection = registry.connect()
    connection.putrequest("PATCH", place, skip_host=True)
    for name, value in ({"Host": registry.host, "Authorization": registry.login, "Content-Length": str(len(content))} | OCTETS).items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(content[:2_500_000])
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()

    # The server may still be putting away what it got: who is told that it stands elsewhere asks again, as clients do.
    for _ in range(500):
        have = resumed_at(registry, place)
        assert 0 <= have <= 2_500_000
        answer = registry("PATCH", place, content[have:], OCTETS | {"Content-Range": f"{have}-{len(content) - 1}"})
        if answer.expect(202, 409, 416).status == 202:
            break
    answer.expect(202)
    registry("PUT", with_query(answer.location, digest=images.digest(content))).expect(201)
    assert registry("GET", f"{APP}/blobs/{images.digest(content)}").expect(200).body == content


def resumed_at(registry, place):
    """How many bytes the server says it has; `Range: 0-0` stands for none and for one, so callers send more than one."""
    status = registry("GET", place).expect(204)
    last = int(status["Range"].rpartition("-")[2])
    return last + 1 if last else 0


def test_a_body_sent_without_its_length(registry):
    content = secrets.token_bytes(300_000)
    place = registry.start_upload("app")
    half = len(content) // 2
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (content[:half], content[half:])) + b"0\r\n\r\n"
    answer = registry("PATCH", place, chunked, OCTETS | {"Transfer-Encoding": "chunked"}).expect(202)
    assert answer["Range"] == f"0-{len(content) - 1}"
    registry("PUT", with_query(answer.location, digest=images.digest(content))).expect(201)


def test_a_cancelled_upload_is_gone(registry):
    place = registry("PATCH", registry.start_upload("app"), b"half", OCTETS).expect(202).location
    registry("DELETE", place).expect(204)
    registry("GET", place).error(404, "BLOB_UPLOAD_UNKNOWN")
    registry("PATCH", place, b"more", OCTETS).error(404, "BLOB_UPLOAD_UNKNOWN")
    registry("DELETE", place).error(404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_belongs_to_its_repository(registry):
    place = registry.start_upload("app")
    registry("PATCH", place.replace("/v2/app/", "/v2/team/app/"), b"x", OCTETS).error(404, "BLOB_UPLOAD_UNKNOWN")
    registry("GET", place).expect(204)


@pytest.mark.parametrize("digest", [images.digest(b"something else"), "sha256:abc", "sha256:" + "G" * 64, "md5:" + "0" * 32,
                                    "nonsense", "", "sha256:" + "A" * 64, "../../etc/passwd"])
def test_a_wrong_digest_leaves_nothing(registry, digest):
    content = secrets.token_bytes(1_000)
    registry.put_blob("app", content, digest).error(400, "DIGEST_INVALID")
    registry("HEAD", f"{APP}/blobs/{images.digest(content)}").expect(404)


def test_a_put_without_a_digest(registry):
    registry("PUT", registry.start_upload("app"), b"x", OCTETS).error(400, "DIGEST_INVALID")


def test_sha512_where_a_client_asks_for_it(registry):
    content = secrets.token_bytes(1_000)
    digest = images.digest(content, "sha512")
    registry.put_blob("app", content, digest).expect(201)
    assert registry("GET", f"{APP}/blobs/{digest}").expect(200).body == content


def test_the_empty_blob(registry):
    registry.put_blob("app", b"").expect(201)
    assert registry("GET", f"{APP}/blobs/{images.digest(b'')}").expect(200).body == b""


def test_the_same_blob_again_costs_nothing_and_works(registry):
    content = secrets.token_bytes(1_000)
    for _ in range(3):
        registry.put_blob("app", content).expect(201)


def test_mounting_a_blob_from_a_repository_that_one_may_read(registry, pushed):
    digest = images.digest(pushed.layer)
    answer = registry("POST", f"/v2/team/app/blobs/uploads/?mount={digest}&from=app").expect(201)
    assert registry("GET", answer.location).expect(200).body == pushed.layer


def test_a_mount_that_cannot_be_becomes_an_upload(registry, root):
    missing = images.digest(secrets.token_bytes(9))
    for source in ("app", "team/app", "nowhere"):
        registry("POST", f"/v2/app/blobs/uploads/?mount={missing}&from={source}").expect(202)
    # Knowing a digest gives nothing: the blob stands in a repository that the writer may not read.
    root.create_repository("vault")
    content = secrets.token_bytes(1_000)
    root.raw().put_blob("vault", content).expect(201)
    digest = images.digest(content)
    registry("POST", f"/v2/app/blobs/uploads/?mount={digest}&from=vault").expect(202)
    registry("GET", f"{APP}/blobs/{digest}").error(404, "BLOB_UNKNOWN")
    registry("POST", f"/v2/app/blobs/uploads/?mount={digest}").expect(202)
    registry("GET", f"{APP}/blobs/{digest}").error(404, "BLOB_UNKNOWN")


def test_a_manifest_whose_blobs_are_missing_is_refused(registry):
    image = images.Image()
    answer = registry.put_manifest("app", "holes", image.manifest).expect(400, 404)
    assert answer.json["errors"][0]["code"] in ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "LAYERS_NOT_FOUND")
    registry("GET", f"{APP}/manifests/holes", headers=ANY).error(404, "MANIFEST_UNKNOWN")


def test_an_index_whose_manifests_are_missing_is_refused(registry):
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX,
                        "manifests": [images.descriptor(images.OCI_MANIFEST, b"not there")]}).encode()
    registry.put_manifest("app", "hollow", index, images.OCI_INDEX).expect(400, 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b"{}", b'{"schemaVersion": 1}',
                                  b'{"schemaVersion":2,"config":{},"layers":[]}', b'{"schemaVersion":2,' + b'"a":{' * 5000],
                         ids=range(10))
def test_what_is_no_manifest_is_refused(registry, body):
    registry.put_manifest("app", "broken", body).error(400, "MANIFEST_INVALID")
    registry("GET", f"{APP}/manifests/broken", headers=ANY).error(404, "MANIFEST_UNKNOWN")


def test_a_manifest_under_a_digest_that_is_not_its_own(registry, pushed):
    other = images.digest(b"other")
    registry.put_manifest("app", other, pushed.manifest).error(400, "DIGEST_INVALID")
    registry.put_manifest("app", pushed.digest, pushed.manifest).expect(201)


def test_a_manifest_of_an_unheard_of_type(registry, pushed):
    """Refused, or taken for what its own `mediaType` says; never served as what it is not."""
    for wrong in ("text/html", images.OCI_INDEX, "application/octet-stream"):
        if registry.put_manifest("app", "odd", pushed.manifest, wrong).expect(201, 400, 415).status == 201:
            got = registry("GET", f"{APP}/manifests/odd", headers=ANY).expect(200)
            assert got["Content-Type"] == images.OCI_MANIFEST


def test_a_manifest_that_is_too_large(registry):
    registry.put_manifest("app", "huge", b'{"schemaVersion":2,"x":"' + b"x" * (5 << 20) + b'"}').expect(400, 413)


@pytest.mark.parametrize("tag", ["a" * 129, ".dot", "-dash", "sp%20ace", "per%25cent", "%00", "ta+g", "%C3%BC"])
def test_tags_that_are_none(registry, pushed, tag):
    answer = registry.put_manifest("app", tag, pushed.manifest)
    assert 400 <= answer.status < 500, answer.status
    assert answer.json["errors"]


# Content discovery.

def test_tags_page_by_page(root, registry):
    root.create_repository("tags")
    writer = root.raw()
    image = images.Image()
    names = sorted(f"v{n}" for n in range(7)) + ["z"]
    for name in reversed(names):
        writer.push("tags", name, image).expect(201)
    assert writer("GET", "/v2/tags/tags/list").expect(200).json == {"name": "tags", "tags": names}
    seen, place = [], "/v2/tags/tags/list?n=3"
    while place:
        answer = writer("GET", place).expect(200)
        assert len(answer.json["tags"]) <= 3
        seen += answer.json["tags"]
        link = answer["Link"]
        assert link is None or link.endswith('; rel="next"')
        place = link and link.partition("<")[2].partition(">")[0].removeprefix(writer.server.url)
    assert seen == names
    assert writer("GET", "/v2/tags/tags/list?n=2&last=v3").expect(200).json["tags"] == ["v4", "v5"]
    assert writer("GET", "/v2/tags/tags/list?n=0").expect(200).json["tags"] in ([], None)
    for wrong in ("-1", "x", "99999999999999999999"):
        writer("GET", f"/v2/tags/tags/list?n={wrong}").expect(200, 400)


def test_the_catalog_lists_the_repositories(root, registry):
    admin = root.raw()
    everything = admin("GET", "/v2/_catalog?n=1000").expect(200).json["repositories"]
    assert {"app", "team/app"} <= set(everything) and everything == sorted(everything)
    one = admin("GET", "/v2/_catalog?n=1").expect(200)
    assert one.json["repositories"] == everything[:1] and 'rel="next"' in one["Link"]


def test_referrers(registry, pushed):
    subject = images.descriptor(images.OCI_MANIFEST, pushed.manifest)
    kinds = ["application/vnd.example.sbom", "application/vnd.example.signature"]
    made = {}
    for kind in kinds:
        blob = secrets.token_bytes(64)
        registry.put_blob("app", blob).expect(201)
        registry.put_blob("app", b"{}").expect(201)
        artifact = json.dumps({
            "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "artifactType": kind,
            "config": images.descriptor(images.OCI_EMPTY, b"{}"), "layers": [images.descriptor(kind, blob)],
            "subject": subject, "annotations": {"org.example.kind": kind},
        }).encode()
        answer = registry.put_manifest("app", images.digest(artifact), artifact).expect(201)
        assert answer["OCI-Subject"] == pushed.digest
        made[kind] = images.descriptor(images.OCI_MANIFEST, artifact, artifactType=kind, annotations={"org.example.kind": kind})

    answer = registry("GET", f"{APP}/referrers/{pushed.digest}").expect(200)
    assert answer["Content-Type"] == images.OCI_INDEX
    assert answer.json["schemaVersion"] == 2
    found = {m["artifactType"]: m for m in answer.json["manifests"]}
    assert found == made
    filtered = registry("GET", f"{APP}/referrers/{pushed.digest}?artifactType={kinds[0]}").expect(200)
    assert [m["artifactType"] for m in filtered.json["manifests"]] == [kinds[0]]
    assert filtered["OCI-Filters-Applied"] == "artifactType"

    nobody = registry("GET", f"{APP}/referrers/{images.digest(b'unknown')}").expect(200)
    assert nobody.json["manifests"] == []
    registry("GET", f"{APP}/referrers/nonsense").expect(400, 404)
    registry("DELETE", f"{APP}/manifests/{made[kinds[0]]['digest']}").expect(202)
    left = registry("GET", f"{APP}/referrers/{pushed.digest}").expect(200).json["manifests"]
    assert [m["artifactType"] for m in left] == [kinds[1]]


# Content management.

def test_deleting_a_tag_then_the_image(registry):
    image = images.Image()
    registry.push("app", "old", image).expect(201)
    registry.push("app", "older", image).expect(201)
    registry("DELETE", f"{APP}/manifests/older").expect(202)
    registry("GET", f"{APP}/manifests/older", headers=ANY).error(404, "MANIFEST_UNKNOWN")
    registry("GET", f"{APP}/manifests/old", headers=ANY).expect(200)
    registry("DELETE", f"{APP}/manifests/{image.digest}").expect(202)
    registry("GET", f"{APP}/manifests/old", headers=ANY).error(404, "MANIFEST_UNKNOWN")
    registry("GET", f"{APP}/manifests/{image.digest}", headers=ANY).error(404, "MANIFEST_UNKNOWN")
    registry("DELETE", f"{APP}/manifests/{image.digest}").error(404, "MANIFEST_UNKNOWN")


def test_moving_a_tag(registry):
    first, second = images.Image(), images.Image()
    registry.push("app", "moving", first).expect(201)
    registry.push("app", "moving", second).expect(201)
    assert registry("GET", f"{APP}/manifests/moving", headers=ANY).body == second.manifest
    assert registry("GET", f"{APP}/manifests/{first.digest}", headers=ANY).expect(200).body == first.manifest


# Who may what: each route asks for its own action.

def test_each_route_asks_for_its_action(root, registry, pushed):
    """A reader and a stranger on every route; the words name the action that guards it."""
    layer, arn = images.digest(pushed.layer), root.repository_arn("app")
    upload = registry.start_upload("app")
    routes = {
        ("GET", f"{APP}/manifests/steady"): "ecr:BatchGetImage",
        ("GET", f"{APP}/manifests/{pushed.digest}"): "ecr:BatchGetImage",
        ("GET", f"{APP}/blobs/{layer}"): "ecr:GetDownloadUrlForLayer",
        ("GET", f"{APP}/tags/list"): "ecr:ListImages",
        ("GET", f"{APP}/referrers/{pushed.digest}"): "ecr:BatchGetImage",
        ("POST", f"{APP}/blobs/uploads/"): "ecr:InitiateLayerUpload",
        ("POST", f"{APP}/blobs/uploads/?mount={layer}&from=team/app"): "ecr:InitiateLayerUpload",
        ("PATCH", upload): "ecr:UploadLayerPart",
        ("PUT", with_query(upload, digest=layer)): "ecr:CompleteLayerUpload",
        ("PUT", f"{APP}/manifests/stolen"): "ecr:PutImage",
        ("DELETE", f"{APP}/manifests/{pushed.digest}"): "ecr:BatchDeleteImage",
    }
    stranger = root.create_user("stranger", policy(pull_only("app")[1]))
    wire = stranger.raw()
    for (method, path), action in routes.items():
        answer = wire(method, path, b"{}" if method in ("PUT", "PATCH") else None,
                      {"Accept": "*/*", "Content-Type": images.OCI_MANIFEST}).error(403, "DENIED")
        assert answer.json["errors"][0]["message"] == refusal(stranger.arn, action, arn, NO_IDENTITY_POLICY), (method, path)
    for path in (f"{APP}/manifests/steady", f"{APP}/blobs/{layer}"):
        assert wire("HEAD", path, headers=ANY).expect(403).body == b""
    wire("GET", upload).error(403, "DENIED")
    wire("DELETE", upload).error(403, "DENIED")
    wire("GET", "/v2/_catalog").error(403, "DENIED", "ecr:DescribeRepositories")
    # And none of it left a trace.
    registry("GET", f"{APP}/manifests/stolen", headers=ANY).error(404, "MANIFEST_UNKNOWN")
    registry("GET", upload).expect(204)


def test_who_may_pull_finds_what_refers_to_the_image(root, pushed):
    """`ecr:BatchGetImage` alone decides, as the model of `ListImageReferrers` says (docs/adr/0009)."""
    path, action = f"{APP}/referrers/{pushed.digest}", "ecr:BatchGetImage"
    root.create_user("finder", policy(*pull_only("app"))).raw()("GET", path).expect(200)
    only = policy(LOGIN, allow("ecr:ListImageReferrers", root.repository_arn("app")))
    root.create_user("lister", only).raw()("GET", path).error(403, "DENIED", action)
    root.create_user("spared", policy(*pull_only("app"), deny(action, "*"))).raw()("GET", path).error(403, "DENIED", action)


@pytest.mark.parametrize("method, path", [
    ("PUT", "/v2/"), ("POST", "/v2/app/manifests/v1"), ("DELETE", "/v2/app/tags/list"), ("PATCH", "/v2/app/manifests/v1"),
    ("GET", "/v2/app/blobs/uploads/"), ("OPTIONS", "/v2/app/tags/list"), ("TRACE", "/v2/"), ("BREW", "/v2/app/tags/list"),
    ("GET", "/v2/app"), ("GET", "/v2/app/"), ("GET", "/v2/app/unknown/x"), ("GET", "/v2//tags/list"), ("GET", "/v1/search"),
])
def test_a_route_that_is_none_is_refused(registry, method, path):
    answer = registry(method, path)
    assert 400 <= answer.status < 500, (method, path, answer.status)


def test_two_host_headers_are_none(berth):
    """RFC 9112, section 3.2: more than one Host is answered with 400; which registry is meant must not be guessed."""
    back = Raw(berth).bytes(b"GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n")
    assert back.startswith(b"HTTP/1.1 400"), back[:200]


def test_one_connection_serves_many_requests(registry, pushed):
    connection = registry.connect()
    try:
        for _ in range(50):
            connection.request("GET", f"{APP}/manifests/steady", headers={"Authorization": registry.login, "Accept": "*/*"})
            assert hashlib.sha256(connection.getresponse().read()).hexdigest() == pushed.digest.partition(":")[2]
    finally:
        connection.close()


def test_the_registrys_own_host_name_picks_account_and_region(root, registry, pushed):
    name = f"{root.account}.dkr.ecr.us-east-1.localhost"
    named = Raw(root.server, host=f"{name}:{root.server.registry.rpartition(':')[2]}")
    named.login = registry.login
    assert named("GET", f"{APP}/manifests/steady", headers=ANY).expect(200).body == pushed.manifest
    elsewhere = Raw(root.server, host=f"{root.account}.dkr.ecr.eu-west-1.localhost")
    elsewhere.login = root.raw().login
    elsewhere("GET", f"{APP}/manifests/steady", headers=ANY).error(404, "NAME_UNKNOWN")
