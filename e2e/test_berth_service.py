"""The service `berth`: the stock AWS CLI and boto3 call it once they have its model (docs/reference/berth-service.md)."""

import botocore
import botocore.exceptions
import pytest

from berth.people import Credentials, Person, failing
from berth.policies import allow, policy
from berth.service import MODEL, PROJECT


@pytest.fixture(scope="module")
def alice(root):
    root.create_repository("app")
    return root.create_user("alice", policy(allow("berth:*", "*")))


def test_the_aws_cli_learns_the_model(alice):
    alice.aws("configure", "add-model", "--service-name", "berth", "--service-model", f"file://{MODEL}").ok()
    assert "collections" in alice.aws("berth", "list-collections").json
    assert "integrityChecks" in alice.aws("berth", "list-integrity-checks").json
    listed = alice.aws("berth", "list-tag-history", "--repository-name", "app").json
    assert listed == {"events": []}


def documented():
    """What docs/api-coverage.md says of each operation of the service: `{name: whether it is built}`."""
    section = (PROJECT / "docs/api-coverage.md").read_text().split("\n## Berth\n")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if " | " in line]
    return {row[0].removeprefix("| "): row[1] == "yes" for row in rows[1:]}


def test_boto3_calls_every_operation(alice, monkeypatch):
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    client = alice.boto("berth", parameter_validation=False)
    built = documented()
    assert sorted(built) == sorted(client.meta.service_model.operation_names)
    for operation, is_built in built.items():
        call = getattr(client, botocore.xform_name(operation))
        if not is_built:
            assert operation in failing(call, "NotImplemented")["Message"]
            continue
        try:
            call()
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] != "NotImplemented", operation


def test_a_wrong_key_is_refused_before_anything_else(alice, root, monkeypatch):
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    stranger = Person(root.server, "stranger", Credentials("AKIAIOSFODNN7EXAMPLE", "x" * 40), root.account, "")
    failing(stranger.boto("berth").get_usage, "UnrecognizedClientException")
