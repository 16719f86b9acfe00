"""Requests that are not signed as they should be, and AWS's words for each (IAM User Guide, "Troubleshoot Signature Version 4").

Time is moved by signing at another time, never by waiting.
"""

import datetime
import re
import xml.etree.ElementTree as xml

import pytest

from berth import sigv4
from berth.people import Credentials, Person, failing
from berth.policies import LOGIN, policy
from berth.raw import Raw

WHO = b"Action=GetCallerIdentity&Version=2011-06-15"
DESCRIBE = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"
STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"


def ago(**how):
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(**how)


@pytest.fixture(scope="module")
def wire(berth):
    return Raw(berth)


def query_error(answer, status, code):
    """The Query protocol's error: `<ErrorResponse>` with type, code, message and request id; answers the message."""
    answer.expect(*(status if isinstance(status, tuple) else (status,)))
    root = xml.fromstring(answer.body)
    space = re.match(r"\{[^}]*\}", root.tag).group()
    error = root.find(f"{space}Error")
    assert root.tag == f"{space}ErrorResponse"
    assert error.findtext(f"{space}Type") == "Sender"
    assert error.findtext(f"{space}Code") == code, answer.body
    assert root.findtext(f"{space}RequestId") == answer["x-amzn-RequestId"]
    return error.findtext(f"{space}Message")


def json_error(answer, status, code):
    answer.expect(*(status if isinstance(status, tuple) else (status,)))
    assert answer.json["__type"].rpartition("#")[2] == code, answer.body
    assert answer["x-amzn-ErrorType"].partition(":")[0] == code
    assert answer["x-amzn-RequestId"]
    return answer.json.get("message") or answer.json.get("Message")


def test_our_own_signer_is_right(wire, root):
    """If this fails, the rest of the file says nothing."""
    answer = wire.aws(root, "sts", WHO).expect(200)
    assert xml.fromstring(answer.body).findtext(f"{STS}GetCallerIdentityResult/{STS}Arn") == root.arn
    assert wire.aws(root, "ecr", b"{}", DESCRIBE).expect(200).json == {"repositories": []}


def test_no_signature_at_all(wire):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    query_error(wire("POST", "/", WHO, form), 403, "MissingAuthenticationToken")
    json_error(wire("POST", "/", b"{}", {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": DESCRIBE}),
               400, "MissingAuthenticationTokenException")


def test_an_incomplete_authorization_header(wire, root):
    message = query_error(wire("POST", "/", WHO, {
        "Content-Type": "application/x-www-form-urlencoded", "Authorization": "AWS4-HMAC-SHA256 Credential=x"}),
        (400, 403), "IncompleteSignature")  # AWS has documented both
    assert "Signature" in message and "SignedHeaders" in message


def test_an_unknown_access_key(wire, root):
    stranger = Person(root.server, "stranger", Credentials("AKIAIOSFODNN7EXAMPLE", "x" * 40), root.account, root.arn)
    assert query_error(wire.aws(stranger, "sts", WHO), 403, "InvalidClientTokenId") == (
        "The security token included in the request is invalid.")
    assert json_error(wire.aws(stranger, "ecr", b"{}", DESCRIBE), 400, "UnrecognizedClientException") == (
        "The security token included in the request is invalid.")


def test_a_wrong_secret(wire, root):
    liar = Person(root.server, "liar", Credentials(root.credentials.access_key_id, "x" * 40), root.account, root.arn)
    words = "The request signature we calculated does not match the signature you provided."
    assert query_error(wire.aws(liar, "sts", WHO), 403, "SignatureDoesNotMatch").startswith(words)
    assert json_error(wire.aws(liar, "ecr", b"{}", DESCRIBE), 400, "InvalidSignatureException").startswith(words)


def test_a_changed_body(wire, root):
    signed = sigv4.sign(root.credentials, wire.host, WHO, "sts",
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
    query_error(wire("POST", "/", WHO.replace(b"06-15", b"06-16"), signed), 403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("header", ["content-type", "x-amz-date", "host"])
def test_a_changed_header(wire, root, header):
    signed = sigv4.sign(root.credentials, wire.host, WHO, "sts",
                        headers={"Content-Type": "application/x-www-form-urlencoded"})
    if header == "host":
        signed["host"] = "localhost:" + wire.host.rpartition(":")[2]
        other = Raw(root.server, host=signed.pop("host"))
        query_error(other("POST", "/", WHO, signed), 403, "SignatureDoesNotMatch")
    else:
        signed[header] = {"content-type": "application/x-www-form-urlencoded; charset=utf-8",
                          "x-amz-date": ago(seconds=30).strftime("%Y%m%dT%H%M%SZ")}[header]
        query_error(wire("POST", "/", WHO, signed), 403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("minutes", [14, -14])
def test_a_clock_that_is_a_little_off(wire, root, minutes):
    wire.aws(root, "sts", WHO, now=ago(minutes=minutes)).expect(200)


def test_a_clock_that_is_late(wire, root):
    message = query_error(wire.aws(root, "sts", WHO, now=ago(minutes=16)), 403, "SignatureDoesNotMatch")
    assert re.fullmatch(r"Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)", message)
    message = json_error(wire.aws(root, "ecr", b"{}", DESCRIBE, now=ago(minutes=16)), 400, "InvalidSignatureException")
    assert message.startswith("Signature expired: ")


def test_a_clock_that_is_early(wire, root):
    message = query_error(wire.aws(root, "sts", WHO, now=ago(minutes=-16)), 403, "SignatureDoesNotMatch")
    assert re.fullmatch(r"Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 15 min\.\)", message)


def test_a_signature_for_another_service(wire, root):
    message = query_error(wire.aws(root, "iam", WHO), 403, "SignatureDoesNotMatch")
    assert message.strip() == "Credential should be scoped to correct service: 'sts'."


def test_a_presigned_request(wire, root):
    query = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    wire("GET", sigv4.presign(root.credentials, wire.host, query, "sts")).expect(200)
    # GetCallerIdentity is accepted for fifteen minutes, whatever the URL says: Kubernetes authenticators say one minute.
    def presigned(minutes, expires_s=60):
        return wire("GET", sigv4.presign(root.credentials, wire.host, query, "sts", now=ago(minutes=minutes), expires_s=expires_s))
    presigned(14).expect(200)
    presigned(14, 0).expect(200)  # aws-iam-authenticator
    for expires_s in (60, 3600, 604800):
        query_error(presigned(20, expires_s), 403, "SignatureDoesNotMatch")
    whole = sigv4.presign(root.credentials, wire.host, query, "sts")
    query_error(wire("GET", whole.replace("GetCallerIdentity", "GetSessionToken")), 403, "SignatureDoesNotMatch")


def test_a_session_that_boto3_presigns(wire, root):
    job = root.create_user("presigner")
    url = job.sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    answer = wire("GET", url.removeprefix(root.server.url)).expect(200)
    assert xml.fromstring(answer.body).findtext(f"{STS}GetCallerIdentityResult/{STS}Arn") == job.arn


def test_session_credentials_without_their_token(root):
    session = root.create_user("session-user", policy(LOGIN)).sts.get_session_token()["Credentials"]
    whole = Person(root.server, "whole", Credentials.of(session), root.account, "")
    whole.ecr.get_authorization_token()
    half = Person(root.server, "half", Credentials(session["AccessKeyId"], session["SecretAccessKey"]), root.account, "")
    failing(half.ecr.get_authorization_token, "UnrecognizedClientException")
    failing(half.sts.get_caller_identity, "InvalidClientTokenId")


def test_nobody_is_told_a_secret(berth, root):
    """Neither the server's log nor its database nor an error holds a secret key or a registry password in clear."""
    user = root.create_user("keeper", policy(LOGIN))
    password = user.password
    user.raw()("GET", "/v2/").expect(200)
    secrets = [user.credentials.secret_access_key, root.credentials.secret_access_key, password]
    files = [berth.log, *(f for f in berth.data.rglob("*") if f.is_file() and f.name != "credentials")]
    assert any(f.suffix.startswith((".db", ".sqlite")) or "berth" in f.name for f in files)
    for file in files:
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, f"a secret stands in {file}"
    # What belongs to its owner alone is not readable for others.
    for file in berth.data.rglob("*"):
        if file.name in ("credentials", "master.key", "master-key"):
            assert file.stat().st_mode & 0o077 == 0, file
