"""Many accounts (docs/how-to/many-accounts.md): an organization, a new account, policies on it, delegation."""

import json
import time

import pytest

from berth.people import Credentials, Person, failing
from berth.policies import allow, deny, policy, trust

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


@pytest.fixture(scope="module")
def org(root):
    """The first account's organization, by boto3."""
    client = root.boto("organizations")
    made = client.create_organization()["Organization"]
    assert (made["FeatureSet"], made["MasterAccountId"]) == ("ALL", root.account)
    return client


@pytest.fixture(scope="module")
def root_id(org):
    (only,) = org.list_roots()["Roots"]
    assert only["PolicyTypes"] == [{"Type": SCP, "Status": "ENABLED"}]
    return only["Id"]


@pytest.fixture(scope="module")
def opener(root):
    """Who may step into every account."""
    user = root.create_user("opener")
    root.iam.put_user_policy(UserName="opener", PolicyName="in",
                             PolicyDocument=json.dumps(policy(allow(["sts:AssumeRole", "sts:AssumeRoot"], "*"))))
    return user


def new_account(org, name):
    taken = org.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]
    assert taken["State"] == "IN_PROGRESS"
    done = ended(org, taken["Id"])
    assert done["State"] == "SUCCEEDED"
    return done["AccountId"]


def ended(org, request):
    """The status of a request once it has ended."""
    deadline = time.monotonic() + 60
    while (status := org.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"])["State"] == "IN_PROGRESS":
        assert time.monotonic() < deadline, "the account is not made"
        time.sleep(0.1)
    return status


def session(opener, account, name="setup", role="OrganizationAccountAccessRole"):
    answer = opener.sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName=name)
    return Person(opener.server, name, Credentials.of(answer["Credentials"]), account,
                  answer["AssumedRoleUser"]["Arn"])


def test_a_new_account_has_its_own_registry(root, org, root_id, opener):
    unit = org.create_organizational_unit(ParentId=root_id, Name="production")["OrganizationalUnit"]
    account = new_account(org, "production")
    org.move_account(AccountId=account, SourceParentId=root_id, DestinationParentId=unit["Id"])
    shown = org.describe_account(AccountId=account)["Account"]
    assert shown["Paths"] == [f"{unit['Path']}{account}/"]
    assert [child["Id"] for child in org.list_children(ParentId=unit["Id"], ChildType="ACCOUNT")["Children"]] == [account]
    admin = session(opener, account)
    made = admin.ecr.create_repository(repositoryName="app")["repository"]
    assert made["registryId"] == account
    assert root.ecr.describe_repositories()["repositories"] == []
    failing(root.ecr.describe_repositories, "AccessDeniedException", registryId=account, repositoryNames=["app"])


def test_a_service_control_policy_is_named_in_the_refusal(root, org, root_id, opener):
    account = new_account(org, "bounded")
    admin = session(opener, account)
    admin.ecr.create_repository(repositoryName="kept")
    made = org.create_policy(Type=SCP, Name="keep", Description="", Content=json.dumps(policy(
        deny("ecr:DeleteRepository", "*"))))["Policy"]["PolicySummary"]
    org.attach_policy(PolicyId=made["Id"], TargetId=account)
    refused = failing(admin.ecr.delete_repository, "AccessDeniedException", repositoryName="kept")
    assert refused["Message"] == (
        f"User: {admin.arn} is not authorized to perform: ecr:DeleteRepository on resource: "
        f"{admin.repository_arn('kept')} with an explicit deny in a service control policy: {made['Arn']}")
    failing(org.delete_policy, "PolicyInUseException", PolicyId=made["Id"])
    org.detach_policy(PolicyId=made["Id"], TargetId=account)
    admin.ecr.delete_repository(repositoryName="kept")
    last = failing(org.detach_policy, "ConstraintViolationException", PolicyId="p-FullAWSAccess", TargetId=account)
    assert "at least one attached" in last["Message"]


def test_the_aws_cli_walks_through_the_page(root, org, root_id, opener):
    account = new_account(org, "by-cli")
    listed = root.aws("organizations", "list-accounts").json["Accounts"]
    assert account in [entry["Id"] for entry in listed]
    content = json.dumps(policy(deny("ecr:BatchDeleteImage", "*")))
    made = root.aws("organizations", "create-policy", "--type", SCP, "--name", "by-cli", "--description", "x",
                    "--content", content).json["Policy"]
    assert json.loads(made["Content"]) == json.loads(content)
    root.aws("organizations", "attach-policy", "--policy-id", made["PolicySummary"]["Id"], "--target-id", account).ok()
    targets = root.aws("organizations", "list-targets-for-policy", "--policy-id",
                       made["PolicySummary"]["Id"]).json["Targets"]
    assert [(target["TargetId"], target["Type"]) for target in targets] == [(account, "ACCOUNT")]
    root.aws("organizations", "enable-aws-service-access", "--service-principal", "iam.amazonaws.com").ok()
    features = root.aws("iam", "enable-organizations-root-sessions").json
    assert features["EnabledFeatures"] == ["RootSessions"]
    task = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
    answer = opener.aws("sts", "assume-root", "--target-principal", account,
                        "--task-policy-arn", f"arn={task}").json["Credentials"]
    admin = Person(opener.server, "root-task", Credentials.of(answer), account, f"arn:aws:iam::{account}:root")
    assert admin.sts.get_caller_identity()["Arn"] == admin.arn
    assert admin.iam.list_access_keys()["AccessKeyMetadata"] == []
    failing(admin.iam.create_user, "AccessDenied", UserName="x")


def test_a_stranger_joins_by_invitation_and_a_resource_control_policy_keeps_others_out(berth, root, org, root_id):
    other = berth.create_account("444455556666")
    theirs = other.boto("organizations")
    failing(theirs.describe_organization, "AWSOrganizationsNotInUseException")
    root.create_repository("shared")
    everybody = policy(allow("ecr:ListImages", Principal="*"))
    root.ecr.set_repository_policy(repositoryName="shared", policyText=json.dumps(everybody))
    found = other.ecr.list_images(registryId=root.account, repositoryName="shared")
    assert found["imageIds"] == []
    sent = org.invite_account_to_organization(Target={"Id": other.account, "Type": "ACCOUNT"})["Handshake"]
    (open_one,) = theirs.list_handshakes_for_account()["Handshakes"]
    assert open_one["Id"] == sent["Id"]
    assert theirs.accept_handshake(HandshakeId=sent["Id"])["Handshake"]["State"] == "ACCEPTED"
    assert theirs.describe_organization()["Organization"]["MasterAccountId"] == root.account
    refused = failing(theirs.list_accounts, "AccessDeniedException")
    assert refused["Message"] == "You don't have permissions to access this resource."

    # Its repositories are for callers of the organization, whatever their own policies say.
    other.ecr.create_repository(repositoryName="open")
    other.ecr.set_repository_policy(repositoryName="open", policyText=json.dumps(everybody))
    outsider = berth.create_account("777788889999")
    assert outsider.ecr.list_images(registryId=other.account, repositoryName="open")["imageIds"] == []
    org.enable_policy_type(RootId=root_id, PolicyType=RCP)
    own = theirs.describe_organization()["Organization"]["Id"]
    rcp = policy(deny("ecr:*", "*", Principal="*",
                      Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": own}}))
    made = org.create_policy(Type=RCP, Name="own", Description="", Content=json.dumps(rcp))["Policy"]
    org.attach_policy(PolicyId=made["PolicySummary"]["Id"], TargetId=other.account)
    refused = failing(outsider.ecr.list_images, "AccessDeniedException", registryId=other.account, repositoryName="open")
    assert refused["Message"].endswith("with an explicit deny in a resource control policy")
    assert root.ecr.list_images(registryId=other.account, repositoryName="open")["imageIds"] == []


def test_a_third_party_needs_its_external_id(berth, root):
    vendor = berth.create_account("222233334444")
    job = vendor.create_user("job")
    vendor.iam.put_user_policy(UserName="job", PolicyName="in",
                               PolicyDocument=json.dumps(policy(allow("sts:AssumeRole", "*"))))
    arn = root.create_role("vendor", trust({"AWS": vendor.account}, {"StringEquals": {"sts:ExternalId": "tenant-7"}}),
                           policy(allow("ecr:DescribeRepositories", "*")))
    failing(job.sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="scan")
    answer = job.sts.assume_role(RoleArn=arn, RoleSessionName="scan", ExternalId="tenant-7")
    assert answer["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{root.account}:assumed-role/vendor/")


def test_pages_tags_and_wrong_input(org, root_id):
    for number in range(21):
        org.create_organizational_unit(ParentId=root_id, Name=f"unit {number}")
    first = org.list_organizational_units_for_parent(ParentId=root_id)
    assert len(first["OrganizationalUnits"]) == 20
    pages = org.get_paginator("list_organizational_units_for_parent").paginate(ParentId=root_id)
    units = [unit["Id"] for page in pages for unit in page["OrganizationalUnits"]]
    assert len(units) == len(set(units)) >= 21
    org.tag_resource(ResourceId=units[0], Tags=[{"Key": "team", "Value": "core"}])
    assert org.list_tags_for_resource(ResourceId=units[0])["Tags"] == [{"Key": "team", "Value": "core"}]
    failing(org.create_organizational_unit, "DuplicateOrganizationalUnitException", ParentId=root_id, Name="unit 0")
    failing(org.describe_organizational_unit, "OrganizationalUnitNotFoundException",
            OrganizationalUnitId="ou-none-nonenone")
    wrong = failing(org.describe_organizational_unit, "InvalidInputException", OrganizationalUnitId="nothing")
    assert wrong["Message"] == "You provided a value that does not match the required pattern."
    failing(org.create_policy, "MalformedPolicyDocumentException", Type=SCP, Name="x", Description="", Content="{}")
    failing(org.delete_organization, "OrganizationNotEmptyException")


def test_a_closed_account_lets_nobody_in(org, opener):
    account = new_account(org, "closing")
    admin = session(opener, account)
    org.close_account(AccountId=account)
    failing(admin.ecr.describe_repositories, "UnrecognizedClientException")
    assert org.describe_account(AccountId=account)["Account"]["State"] == "SUSPENDED"
