"""`berth import iam`: an account's IAM in the form in which the AWS CLI prints it, brought to another account."""

import json

import pytest

from berth.policies import allow, policy, push_and_pull, trust
from berth.server import Server, binary

OLD, NEW = "111122223333", "123456789012"


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """What the AWS CLI prints of an account with one of everything."""
    with Server(tmp_path_factory.mktemp("old"), account=OLD) as server:
        root, iam = server.root, server.root.iam
        arn = root.create_policy("push", policy(*push_and_pull("app", account=OLD)))
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(policy(allow("ecr:*", "*"))))
        iam.create_group(GroupName="builders")
        iam.put_group_policy(GroupName="builders", PolicyName="look", PolicyDocument=json.dumps(policy(allow("ecr:Describe*", "*"))))
        iam.create_user(UserName="circleci", Path="/ci/", PermissionsBoundary=arn, Tags=[{"Key": "team", "Value": "core"}])
        iam.add_user_to_group(UserName="circleci", GroupName="builders")
        iam.attach_user_policy(UserName="circleci", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        # Two roles that trust each other: neither can be made first with its own trust policy.
        root.create_role("containerise", trust({"AWS": f"arn:aws:iam::{OLD}:user/ci/circleci"}), policy(allow("ecr:*", "*")))
        root.create_role("deploy", trust({"AWS": f"arn:aws:iam::{OLD}:role/containerise"}))
        both = trust({"AWS": [f"arn:aws:iam::{OLD}:role/deploy", f"arn:aws:iam::{OLD}:user/ci/circleci"]})
        iam.update_assume_role_policy(RoleName="containerise", PolicyDocument=json.dumps(both))
        iam.create_instance_profile(InstanceProfileName="containerise")
        iam.add_role_to_instance_profile(InstanceProfileName="containerise", RoleName="containerise")
        return root.aws("iam", "get-account-authorization-details").ok().out


@pytest.fixture
def root(tmp_path):
    with Server(tmp_path / "new", account=NEW) as server:
        yield server.root


def details(root):
    """The account's entities without what an import cannot keep: ids and times."""
    def kept(value):
        if isinstance(value, dict):
            dropped = {"CreateDate", "UpdateDate", "UserId", "GroupId", "RoleId", "PolicyId", "InstanceProfileId", "RoleLastUsed"}
            return {name: kept(inner) for name, inner in value.items() if name not in dropped}
        return [kept(inner) for inner in value] if isinstance(value, list) else value

    return kept(json.loads(root.aws("iam", "get-account-authorization-details").ok().out))


def imported(root, text, *options):
    file = root.home / "details.json"
    file.write_text(text)
    return root.run(binary(), "import", "iam", file, *options)


def test_an_account_is_the_same_under_its_new_id(printed, root):
    wanted = json.loads(printed.replace(OLD, NEW))
    outcome = imported(root, printed, "--map-account", f"{OLD}={NEW}").ok()
    assert outcome.out.splitlines()[-1].endswith("0 kept, 0 failed")
    made = details(root)
    for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
        names = [entity.get("Arn") for entity in wanted[name]]
        assert sorted(entity["Arn"] for entity in made[name]) == sorted(names), name
    role = next(role for role in made["RoleDetailList"] if role["RoleName"] == "containerise")
    old = next(role for role in wanted["RoleDetailList"] if role["RoleName"] == "containerise")
    assert role["AssumeRolePolicyDocument"] == old["AssumeRolePolicyDocument"]
    assert role["RolePolicyList"] == old["RolePolicyList"]
    user = made["UserDetailList"][0]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == f"arn:aws:iam::{NEW}:policy/push"
    assert user["Tags"] == [{"Key": "team", "Value": "core"}] and user["GroupList"] == ["builders"]
    versions = {version["VersionId"]: version["IsDefaultVersion"] for version in made["Policies"][0]["PolicyVersionList"]}
    assert versions == {"v1": True, "v2": False}


def test_a_second_import_keeps_what_exists(printed, root):
    options = ["--map-account", f"{OLD}={NEW}"]
    imported(root, printed, *options).ok()
    before = details(root)
    again = imported(root, printed, *options).ok()
    assert again.out.splitlines()[-1].endswith("7 kept, 0 failed")
    assert details(root) == before


def test_a_dry_run_changes_nothing(printed, root):
    outcome = imported(root, printed, "--map-account", f"{OLD}={NEW}", "--dry-run").ok()
    assert "would: create the user circleci" in outcome.out
    assert "not carried over: access keys" in outcome.out
    assert details(root)["UserDetailList"] == []


def test_another_account_has_to_be_mapped(printed, root):
    imported(root, printed).failed(f"--map-account {OLD}={NEW}")
    assert details(root)["UserDetailList"] == []


def test_nothing_is_imported_while_a_document_is_refused(printed, root):
    broken = json.loads(printed)
    broken["GroupDetailList"][0]["GroupPolicyList"][0]["PolicyDocument"]["Statement"][0]["Effect"] = "Perhaps"
    outcome = imported(root, json.dumps(broken), "--map-account", f"{OLD}={NEW}")
    outcome.failed("nothing was imported")
    assert "refused: inline policy look of the group builders" in outcome.text
    assert details(root)["UserDetailList"] == []


def test_iam_decides_what_an_import_may_do(printed, root):
    alice = root.create_user("alice", policy(allow(["iam:GetPolicy", "iam:CreateGroup"], "*")))
    file = alice.home / "details.json"
    file.write_text(printed)
    outcome = alice.run(binary(), "import", "iam", file, "--map-account", f"{OLD}={NEW}")
    outcome.failed("calls failed")
    assert "done: create the group builders" in outcome.text
    assert "not authorized to perform: iam:CreateUser" in outcome.text
