"""Access Analyzer's ValidatePolicy through the AWS CLI, versions 1 and 2, and through boto3."""

import json

import pytest

from berth.people import failing
from berth.policies import allow, policy
from berth.programs import VERSIONS, aws_cli

MISSPELT = json.dumps(policy(allow(["iam:PassRole", "ecr:PutImages"], "*")))


@pytest.fixture(scope="module")
def alice(root):
    return root.create_user("alice", policy(allow("access-analyzer:ValidatePolicy", "*")))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_aws_cli_lists_all_pages(alice, version):
    answer = alice.run(aws_cli(version), "accessanalyzer", "validate-policy", "--policy-type", "IDENTITY_POLICY",
                       "--policy-document", MISSPELT, "--page-size", "1", env={"AWS_DEFAULT_OUTPUT": "json"}).json
    codes = {finding["issueCode"] for finding in answer["findings"]}
    assert {"INVALID_ACTION", "PASS_ROLE_WITH_STAR_IN_RESOURCE"} <= codes
    for finding in answer["findings"]:
        assert finding["learnMoreLink"].startswith("https://docs.aws.amazon.com/")
        span = finding["locations"][0]["span"]
        assert 0 <= span["start"]["offset"] < span["end"]["offset"] <= len(MISSPELT)


def test_boto3_reads_findings_and_errors(alice, root):
    client = alice.boto("accessanalyzer", parameter_validation=False)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": root.account}, "Action": "sts:AssumeRole"}]})
    answer = client.validate_policy(policyDocument=trust, policyType="RESOURCE_POLICY",
                                    validatePolicyResourceType="AWS::IAM::AssumeRolePolicyDocument")
    assert [one for one in answer["findings"] if one["findingType"] == "ERROR"] == []
    wrong = failing(lambda: client.validate_policy(policyDocument=trust, policyType="POLICY"), "ValidationException")
    assert "policyType" in wrong["Message"]
    failing(client.list_analyzers, "NotImplemented")
    bob = root.create_user("bob")
    failing(lambda: bob.boto("accessanalyzer").validate_policy(policyDocument=trust, policyType="RESOURCE_POLICY"),
            "AccessDeniedException")
