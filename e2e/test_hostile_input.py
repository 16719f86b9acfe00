"""Bad input everywhere: a clear error in the protocol's own form, nothing written, nothing leaked, and the server lives on."""

import json
import os
import xml.etree.ElementTree as xml

import pytest

from berth import images
from berth.people import failing
from berth.policies import LOGIN, policy, push_and_pull
from berth.raw import Raw

TARGET = "AmazonEC2ContainerRegistry_V20150921."
#: Names that mean something to a file system, to XML, to SQL, to a shell, to a terminal.
HOSTILE = ["<script>", "a&b", "]]>", "x' OR '1'='1", '"; DROP TABLE user; --', "$(reboot)", "\x1b[2J", "../../etc/passwd",
           "%s%n", "\u202egnp", "\ufffe", "\U0001f600", "a\tb", "a\nb"]


@pytest.fixture(scope="module")
def registry(root):
    root.create_repository("app")
    return root.create_user("writer", policy(*push_and_pull("app"))).raw()


@pytest.fixture(autouse=True)
def the_server_lives_on_and_leaks_nothing(berth):
    yield
    Raw(berth)("GET", "/healthz").expect(200)
    words = berth.words()
    assert "panicked" not in words, words[-4000:]


def clean(answer, berth):
    """No inner workings in what a stranger reads."""
    for hint in (b"sqlite", b"SELECT ", b"panicked", b".rs:", b"/src/", os.fsencode(berth.data)):
        assert hint not in answer.body, answer.body[:2000]
    return answer


# The JSON protocol.

@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"[]", b"null", b'"x"', b"\xff\xfe\x00", b"{" * 10_000,
                                  b'{"a":' * 100_000, b'{"repositoryNames": 1}', b'{"repositoryNames": [1]}',
                                  b'{"repositoryNames": {"a": "b"}}', b'{"maxResults": "x"}', b'{"maxResults": 1e400}',
                                  b'{"repositoryNames": ["\\ud800"]}'], ids=range(15))
def test_json_that_is_none(berth, root, body):
    answer = clean(Raw(berth).aws(root, "ecr", body, TARGET + "DescribeRepositories"), berth)
    if answer.status == 200:
        assert body in (b"",), "only an absent body may pass for an empty one"
    else:
        answer.expect(400)
        assert answer.json["__type"] in ("SerializationException", "InvalidParameterException"), answer.body


@pytest.mark.parametrize("target", ["", "x", TARGET, TARGET + "Nothing", TARGET + "../DescribeRepositories",
                                    "AmazonEC2ContainerRegistry_V20990101.DescribeRepositories", "x" * 4000])
def test_an_operation_that_is_none(berth, root, target):
    headers = {} if target else {"X-Amz-Target": ""}
    answer = clean(Raw(berth).aws(root, "ecr", b"{}", target or "?", headers=headers), berth)
    assert 400 <= answer.status < 500, answer.status


@pytest.mark.parametrize("name", ["", "a", "A", "-x", "x-", "x--y" + "/" * 2, "a//b", "/a", "a/", "..", "a/../b", "%2e%2e", "a b", "ü",
                                  "x" * 257, "a\x00b", *HOSTILE])
def test_repository_names_that_are_none(root, registry, name):
    error = failing(_unvalidated(root, "ecr").create_repository, "InvalidParameterException", repositoryName=name)
    assert "repositoryName" in error["Message"]
    assert [r["repositoryName"] for r in root.ecr.describe_repositories()["repositories"]] == ["app"]


def test_each_violated_member_is_named_and_counted(root):
    error = failing(_unvalidated(root, "iam").create_user, "ValidationError", UserName="x" * 65, Path="/" + "x" * 520 + "/")
    assert error["Message"].startswith("2 validation errors detected: ")
    assert "at 'userName' failed to satisfy constraint" in error["Message"]
    assert "at 'path' failed to satisfy constraint" in error["Message"]


# The Query protocol.

@pytest.mark.parametrize("body", [b"", b"Action=", b"Action=Nothing&Version=2010-05-08", b"Action=CreateUser", b"%ff=%fe&Action=%",
                                  b"Action=CreateUser&Action=DeleteUser&Version=2010-05-08", b"&" * 100_000,
                                  b"Action=ListUsers&Version=1999-01-01", b"Action=ListUsers&Version=2010-05-08&MaxItems=x",
                                  b"Action=ListUsers&Version=2010-05-08&MaxItems=99999999999999999999",
                                  b"Action=TagUser&Version=2010-05-08&UserName=x&Tags.member.999999999.Key=a",
                                  b"Action=TagUser&Version=2010-05-08&UserName=x" + b"".join(b"&Tags.member.%d.Key=a" % n for n in range(20_000))],
                         ids=range(12))
def test_queries_that_are_none(berth, root, body):
    answer = clean(Raw(berth).aws(root, "iam", body), berth)
    assert 400 <= answer.status < 500, answer.status
    assert xml.fromstring(answer.body).tag.endswith("ErrorResponse")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_hostile_to_xml_are_refused_in_good_xml(root, name):
    failing(_unvalidated(root, "iam").create_user, "ValidationError", UserName=name)
    failing(_unvalidated(root, "iam").get_user, "ValidationError", UserName=name)


@pytest.mark.parametrize("text", ["<b>&amp;</b>", "]]>", 'quote" and \'', "a\tb\nc", "ümläut ÿ"])
def test_what_is_allowed_and_hostile_comes_back_as_it_went(root, text):
    """A role's description and a tag's value may hold what XML must escape."""
    iam = root.iam
    name = f"role-{abs(hash(text))}"
    trust_policy = policy({"Effect": "Allow", "Principal": {"AWS": root.arn}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust_policy), Description=text)
    assert iam.get_role(RoleName=name)["Role"]["Description"] == text
    root.create_user(f"user-{name}")
    document = json.dumps(policy(LOGIN | {"Condition": {"StringEquals": {"aws:PrincipalTag/x": text}}}))
    iam.put_user_policy(UserName=f"user-{name}", PolicyName="p", PolicyDocument=document)
    assert iam.get_user_policy(UserName=f"user-{name}", PolicyName="p")["PolicyDocument"] == json.loads(document)


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "{}", '{"Version":"2012-10-17"}', '{"Version":"2012-10-17","Statement":[{}]}',
                                      '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}',
                                      '{"Version":"2012-10-17","Statement":[{"Effect":"allow","Action":"ecr:*","Resource":"*"}]}',
                                      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*:*:*","Resource":"here"}]}',
                                      '{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}',
                                      '{"Version":"2012-10-17","Statement":' + "[" * 2000 + "]" * 2000 + "}"], ids=range(12))
def test_policies_that_are_none(root, document):
    code = "ValidationError" if not document else "MalformedPolicyDocument"
    failing(_unvalidated(root, "iam").create_policy, code, PolicyName="never", PolicyDocument=document)
    failing(root.iam.get_policy, "NoSuchEntity", PolicyArn=f"arn:aws:iam::{root.account}:policy/never")


def test_a_policy_that_is_too_long(root):
    wide = policy(*({"Effect": "Allow", "Action": "ecr:ListImages", "Resource": root.repository_arn("x" * 100 + str(n))} for n in range(60)))
    error = failing(root.iam.create_policy, "LimitExceeded", PolicyName="wide", PolicyDocument=json.dumps(wide))
    assert error["Message"] == "Cannot exceed quota for PolicySize: 6144"


# The registry.

@pytest.mark.parametrize("name", ["..", "../app", "app/..", "app/../app", "%2e%2e/app", "app%2f..%2fapp", "app%00", "App", "app//x", "-app",
                                  "x" * 300, "a/" * 200 + "a", "app%0d%0aX-Injected:1", "%ff%fe", "app;x", "app\\..\\app"])
def test_path_tricks_in_repository_names(berth, registry, name):
    image = images.Image()
    for method, tail, body in (("GET", "tags/list", None), ("PUT", "manifests/v1", image.manifest), ("POST", "blobs/uploads/", None),
                               ("GET", "blobs/" + images.digest(b"x"), None)):
        answer = clean(registry(method, f"/v2/{name}/{tail}", body, {"Content-Type": images.OCI_MANIFEST}), berth)
        assert 400 <= answer.status < 500, (method, answer.status)
        assert answer["X-Injected"] is None
        assert answer.json["errors"]


@pytest.mark.parametrize("path", ["/../../../etc/passwd", "/v2/../credentials", "/%2e%2e/%2e%2e/credentials", "/console/../../credentials",
                                  "//etc/passwd", "/credentials", "/v2/app/blobs/../../../credentials"])
def test_no_path_leads_out(berth, root, path):
    answer = clean(Raw(berth)("GET", path), berth)
    assert answer.status >= 400 and root.credentials.secret_access_key.encode() not in answer.body


def test_huge_headers(berth):
    for headers in ({"X-Big": "x" * 1_000_000}, {f"X-{n}": "x" for n in range(5_000)}, {"Cookie": "x" * 100_000}):
        try:
            Raw(berth)("GET", "/v2/", headers=headers).expect(400, 413, 431)
        except ConnectionError:
            pass  # hung up on, which is an answer too


def test_a_huge_path(berth):
    try:
        answer = Raw(berth)("GET", "/v2/" + "a" * 100_000 + "/tags/list")
        assert 400 <= answer.status < 500
    except ConnectionError:
        pass


@pytest.mark.parametrize("request_bytes", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 1000, b"GET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    b"GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    b"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \xff\xfe\r\nConnection: close\r\n\r\n",
], ids=range(11))
def test_bytes_that_are_no_request(berth, request_bytes):
    # Whatever comes back is an error or nothing; a second response would be a smuggled request.
    back = Raw(berth).bytes(request_bytes + (b"" if b"Connection: close" in request_bytes else b"\r\n"))
    assert back == b"" or back.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), back[:200]


def test_a_truncated_upload_is_not_a_blob(berth, registry):
    content = os.urandom(10_000)
    place = registry.start_upload("app")
    head = (f"PUT {place}{'&' if '?' in place else '?'}digest={images.digest(content)} HTTP/1.1\r\nHost: {registry.host}\r\n"
            f"Authorization: {registry.login}\r\nContent-Length: {len(content)}\r\n\r\n").encode()
    connection = registry.connect()
    connection.connect()
    connection.sock.sendall(head + content[:5_000])
    connection.close()
    registry("HEAD", f"/v2/app/blobs/{images.digest(content)}").expect(404)
    stored = berth.data.rglob(images.digest(content).partition(":")[2])
    assert list(stored) == []


def test_manifests_hostile_to_parsers(berth, registry):
    for body in (b'{"schemaVersion":2,"mediaType":"' + images.OCI_MANIFEST.encode() + b'","config":{"digest":"sha256:../../../x","size":1,"mediaType":"x"},"layers":[]}',
                 b'{"schemaVersion":2,"mediaType":"' + images.OCI_MANIFEST.encode() + b'","config":{"digest":"' + images.digest(b"").encode() + b'","size":-1,"mediaType":"x"},"layers":[]}',
                 b'{"schemaVersion":2,"schemaVersion":2,"config":null,"layers":"x"}', b"[" * 100_000, b"9" * 100_000):
        clean(registry.put_manifest("app", "hostile", body), berth).error(400, "MANIFEST_INVALID")


def _unvalidated(person, service):
    """boto3 without its own checks of what it sends: the server must do them."""
    return person.boto(service, parameter_validation=False)
