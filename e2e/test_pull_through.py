"""The pull through cache: another Berth and Debian's docker-registry as upstreams, by docker, the AWS CLI and plain HTTP."""

import concurrent.futures
import http.client
import http.server
import json
import threading

import pytest

from berth import images
from berth.audit import events
from berth.images import Image
from berth.people import failing
from berth.peers import PASSWORD, USER, Distribution
from berth.policies import LOGIN, PULL, allow, policy, trust
from berth.pull_through import IMPORT, is_listed, pulled, rule
from berth.raw import Raw
from berth.server import Server
from berth.waiting import until


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


#: What the user guide's role of a cross-account rule may, of what is decided here.
ROLE = policy(allow(("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
                     "ecr:BatchImportUpstreamImage"), "*"))
SERVICE = "pullthroughcache.ecr.amazonaws.com"


def role(root, name, service=SERVICE):
    """A role for rules; its ARN."""
    made = root.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust({"Service": service})))
    root.iam.put_role_policy(RoleName=name, PolicyName="pull", PolicyDocument=json.dumps(ROLE))
    return made["Role"]["Arn"]


def granted(upstream, repository, account):
    """The upstream's repository policy lets the account read."""
    statement = allow(("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), Principal={"AWS": f"arn:aws:iam::{account}:root"})
    upstream.ecr.set_repository_policy(repositoryName=repository, policyText=json.dumps(policy(statement)))


def valid(root, prefix):
    return root.ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix=prefix)


def test_another_account_of_this_server_is_an_upstream_by_a_role(root, berth):
    partner = berth.create_account("444455556666")
    host = partner.create_repository("team/app")["repositoryUri"].split("/")[0]
    image = Image()
    Raw(berth, "AWS", partner.password, host=host).push("team/app", "v1", image).expect(201)
    rules = {"untrusting": role(root, "ptc-untrusting", "ec2.amazonaws.com"), "partner": role(root, "ptc-reader")}
    for prefix, arn in rules.items():
        root.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=host, customRoleArn=arn)
    # The role must trust the service.
    answer = valid(root, "untrusting")
    assert answer["isValid"] is False and "cannot be assumed" in answer["failure"], answer
    root.raw()("GET", "/v2/untrusting/team/app/manifests/v1").error(403, "DENIED", "cannot be assumed", SERVICE)
    # The upstream must let the account in.
    assert valid(root, "partner")["isValid"] is True
    root.raw()("GET", "/v2/partner/team/app/manifests/v1").error(403, "DENIED", "is not authorized to perform: ecr:BatchGetImage")
    granted(partner, "team/app", root.account)
    pulled(root.raw(), "partner/team/app", "v1", image)
    until(lambda: is_listed(root, "partner/team/app", "v1"), "the image is not stored")
    # Both accounts' logs say who read what.
    taken = events(berth, eventName="AssumeRole", errorCode=None)
    taken = [one for one in taken if one["requestParameters"]["roleArn"] == rules["partner"]]
    assert len(taken) == 1 and taken[0]["userIdentity"]["invokedBy"] == SERVICE, taken
    reads = [one for one in events(berth, eventName="BatchGetImage") if one["recipientAccountId"] == partner.account]
    assert any(":assumed-role/ptc-reader/" in one["userIdentity"]["arn"] and "errorCode" not in one for one in reads)
    # A role that is gone is not used again, however long its session would last.
    root.iam.delete_role_policy(RoleName="ptc-reader", PolicyName="pull")
    root.iam.delete_role(RoleName="ptc-reader")
    root.raw()("GET", "/v2/partner/team/app/manifests/v2").error(403, "DENIED", "cannot be assumed")


def test_another_region_of_the_account_needs_no_role(root):
    there = root.boto("ecr", region_name="eu-west-1")
    host = there.create_repository(repositoryName="base/app")["repository"]["repositoryUri"].split("/")[0]
    image = Image()
    Raw(root.server, "AWS", root.password, host=host).push("base/app", "v1", image).expect(201)
    rule(root, "region", host)
    assert valid(root, "region")["isValid"] is True
    pulled(root.raw(), "region/base/app", "v1", image)
    until(lambda: is_listed(root, "region/base/app", "v1"), "the image is not stored")


def test_another_berth_is_an_upstream_by_an_access_key(root, berth, tmp_path):
    with Server(tmp_path / "upstream") as upstream:
        image, other = Image(), upstream.root
        other.create_repository("team/app")
        other.raw().push("team/app", "v1", image).expect(201)
        user = other.create_user("mirror")
        arn = other.iam.create_role(RoleName="mirrors", AssumeRolePolicyDocument=json.dumps(trust({"AWS": user.arn})))["Role"]["Arn"]
        other.iam.put_role_policy(RoleName="mirrors", PolicyName="pull", PolicyDocument=json.dumps(ROLE))
        keys = user.credentials
        secret = {"accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key, "roleArn": arn}
        made = root.aws("secretsmanager", "create-secret", "--name", "ecr-pullthroughcache/key", "--secret-string",
                        json.dumps(secret)).json
        root.ecr.create_pull_through_cache_rule(
            ecrRepositoryPrefix="keyed", upstreamRegistryUrl=upstream.url, credentialArn=made["ARN"])
        assert valid(root, "keyed")["isValid"] is True
        pulled(root.raw(), "keyed/team/app", "v1", image)
        until(lambda: is_listed(root, "keyed/team/app", "v1"), "the image is not stored")
        # One password for all of it.
        tokens = events(upstream, eventName="GetAuthorizationToken")
        assert len([one for one in tokens if ":assumed-role/mirrors/" in one["userIdentity"]["arn"]]) == 1
        other.iam.delete_role_policy(RoleName="mirrors", PolicyName="pull")
        other.iam.delete_role(RoleName="mirrors")
        refused = valid(root, "keyed")
        assert refused["isValid"] is False and "AssumeRole" in refused["failure"], refused
    for text in (berth.log.read_text(), json.dumps(events(berth))):
        assert keys.secret_access_key not in text


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
