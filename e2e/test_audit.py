"""The audit log: one JSON line for each call, in CloudTrail's shape (CloudTrail User Guide, "CloudTrail record contents")."""

import json

import pytest

from berth.audit import events
from berth.outcome import DENIED_BY_IDENTITY_POLICY, refusal
from berth.people import failing
from berth.policies import LOGIN, deny, policy, push_and_pull, repository_arn, trust
from berth.server import binary


@pytest.fixture(scope="module")
def alice(root):
    root.create_repository("app")
    return root.create_user("alice", policy(*push_and_pull("app"), deny("ecr:DeleteRepository", "*", Sid="NeverDelete")))


def test_a_call_and_its_caller(berth, alice):
    request_id = alice.ecr.describe_repositories(repositoryNames=["app"])["ResponseMetadata"]["RequestId"]
    event, = events(berth, requestID=request_id)
    assert (event["eventSource"], event["eventName"], event["readOnly"]) == ("ecr.amazonaws.com", "DescribeRepositories", True)
    assert event["userIdentity"] == event["userIdentity"] | {
        "type": "IAMUser", "arn": alice.arn, "accountId": alice.account, "userName": "alice",
        "accessKeyId": alice.credentials.access_key_id}
    assert event["sourceIPAddress"] == "127.0.0.1" and event["userAgent"].startswith("Boto3/")
    assert event["requestParameters"] == {"repositoryNames": ["app"]}
    assert event["awsRegion"] == "us-east-1" and event["recipientAccountId"] == alice.account
    assert "errorCode" not in event


def test_a_denial_names_the_statement_that_decided(berth, alice):
    failing(alice.ecr.delete_repository, "AccessDeniedException", repositoryName="app")
    event = events(berth, eventName="DeleteRepository")[-1]
    assert event["errorMessage"] == refusal(alice.arn, "ecr:DeleteRepository", alice.repository_arn("app"), DENIED_BY_IDENTITY_POLICY)
    assert event["errorCode"].startswith("AccessDenied")
    assert "NeverDelete" in json.dumps(event["additionalEventData"])


def test_a_role_session_shows_its_role_and_who_stepped_in(berth, root):
    user = root.create_user("ci")
    arn = root.create_role("builder", trust({"AWS": user.arn}))
    job = user.assume(arn, "build-7")
    assume = [e for e in events(berth, eventName="AssumeRole") if e["userIdentity"]["arn"] == user.arn][-1]
    assert assume["requestParameters"]["roleArn"] == arn
    job.sts.get_caller_identity()
    identity = [e for e in events(berth, eventName="GetCallerIdentity") if e["userIdentity"]["type"] == "AssumedRole"][-1]["userIdentity"]
    assert identity["arn"] == job.arn and identity["principalId"].endswith(":build-7")
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == arn


def test_pushes_and_pulls_are_there_too(berth, alice):
    alice.docker.login()
    alice.docker.build("app:v1")
    alice.docker.push("app:v1").ok()
    alice.docker.pull("app:v1").ok()
    for name in ("InitiateLayerUpload", "CompleteLayerUpload", "PutImage", "BatchGetImage", "GetDownloadUrlForLayer"):
        event = events(berth, eventName=name)[-1]
        assert event["userIdentity"]["arn"] == alice.arn, name


def test_refused_logins_are_there_without_secrets(berth, root, alice):
    password = alice.password
    registry = alice.raw()
    registry("GET", "/v2/").expect(200)
    text = "".join(f.read_text() for f in (berth.data / "audit").iterdir())
    for secret in (password, alice.credentials.secret_access_key, root.credentials.secret_access_key):
        assert secret not in text


def test_a_refused_push_is_explained(berth, root):
    """As docs/how-to/explain-a-denial.md does it: the id of a docker client's request is in the audit log."""
    root.create_repository("payments")
    bob = root.create_user("bob", policy(LOGIN))
    bob.raw()("POST", "/v2/payments/blobs/uploads/").error(403, "DENIED", "no identity-based policy allows")
    request_id = events(berth, errorCode="DENIED", eventName="InitiateLayerUpload")[-1]["requestID"]
    listed = [json.loads(line) for line in root.run(binary(), "explain", "--output", "json").out.splitlines()]
    assert (listed[0]["requestId"], listed[0]["principalArn"]) == (request_id, bob.arn)
    assert request_id in root.run(binary(), "explain", "--latest", "1").out
    explained = root.run(binary(), "explain", request_id, "--output", "json").json
    assert explained["decision"] == "ImplicitlyDenied"
    assert explained["principalArn"] == bob.arn
    assert explained["action"] == "ecr:InitiateLayerUpload"
    assert explained["resourceArn"] == repository_arn("payments")
    assert "no identity-based policy allows" in explained["reason"]
    assert root.run(binary(), "explain", request_id).out.startswith("decision   ImplicitlyDenied\n")
    # Who was refused may not ask, and what was not denied has no explanation.
    bob.run(binary(), "explain", request_id).failed("berth:ExplainRequest")
    root.run(binary(), "explain", "0f1e2d3c-0000-4000-8000-000000000000").failed("No recent denial")
