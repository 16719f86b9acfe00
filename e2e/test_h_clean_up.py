"""Walk-through H: taking all down again, each step refused while something depends on it."""

import json

import pytest

from berth.people import failing
from berth.policies import LOGIN, policy, push_and_pull, trust


def conflict(call, message, **arguments):
    assert failing(call, "DeleteConflict", **arguments)["Message"] == message


def test_a_repository_goes_when_it_is_empty(root):
    root.create_repository("app")
    root.docker.login()
    root.docker.build("app:v1")
    root.docker.push("app:v1").ok()
    root.aws("ecr", "delete-repository", "--repository-name", "app").failed(
        "(RepositoryNotEmptyException)",
        "The repository with name 'app' in registry with id '123456789012' cannot be deleted because it still contains images")
    gone = root.aws("ecr", "batch-delete-image", "--repository-name", "app", "--image-ids", "imageTag=v1").json
    assert [i["imageTag"] for i in gone["imageIds"]] == ["v1"] and gone["failures"] == []
    root.docker.pull("app:v1").failed("not found")
    root.aws("ecr", "delete-repository", "--repository-name", "app").ok()
    root.aws("ecr", "describe-repositories", "--repository-names", "app").failed(
        "(RepositoryNotFoundException)", "The repository with name 'app' does not exist in the registry with id '123456789012'")


def test_or_by_force_with_all_that_is_in_it(root):
    root.create_repository("doomed")
    root.docker.login()
    root.docker.build("doomed:v1")
    root.docker.push("doomed:v1").ok()
    root.aws("ecr", "delete-repository", "--repository-name", "doomed", "--force").ok()
    root.docker.pull("doomed:v1").failed("The repository with name 'doomed' does not exist")
    # A new repository of that name starts empty.
    root.create_repository("doomed")
    assert root.ecr.list_images(repositoryName="doomed")["imageIds"] == []


def test_a_policy_goes_when_nothing_holds_it(root):
    user = root.create_user("holder", policy(*push_and_pull("any")))
    arn = f"arn:aws:iam::{root.account}:policy/holder-policy"
    iam = root.iam
    conflict(iam.delete_policy, "Cannot delete a policy attached to entities.", PolicyArn=arn)
    iam.detach_user_policy(UserName=user.name, PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(policy(LOGIN)), SetAsDefault=True)
    conflict(iam.delete_policy, "This policy has more than one version. Before you delete a policy, you must delete the "
             "policy's versions. The default version is deleted with the policy.", PolicyArn=arn)
    conflict(iam.delete_policy_version, "Cannot delete the default version of a policy.", PolicyArn=arn, VersionId="v2")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    assert failing(iam.get_policy, "NoSuchEntity", PolicyArn=arn)["Message"] == (
        f"Policy {arn} was not found.")


def test_aws_managed_policies_are_not_ours_to_delete(root):
    failing(root.iam.delete_policy, "AccessDenied", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_a_role_goes_when_nothing_hangs_on_it(root):
    iam = root.iam
    user = root.create_user("role-user")
    root.create_role("busy", trust({"AWS": user.arn}), policy(LOGIN))
    managed = root.create_policy("busy-policy", policy(LOGIN))
    iam.attach_role_policy(RoleName="busy", PolicyArn=managed)
    iam.create_instance_profile(InstanceProfileName="busy-host")
    iam.add_role_to_instance_profile(InstanceProfileName="busy-host", RoleName="busy")

    conflict(iam.delete_role, "Cannot delete entity, must remove roles from instance profile first.", RoleName="busy")
    conflict(iam.delete_instance_profile, "Cannot delete entity, must remove roles from instance profile first.",
             InstanceProfileName="busy-host")
    iam.remove_role_from_instance_profile(InstanceProfileName="busy-host", RoleName="busy")
    iam.delete_instance_profile(InstanceProfileName="busy-host")
    conflict(iam.delete_role, "Cannot delete entity, must detach all policies first.", RoleName="busy")
    iam.detach_role_policy(RoleName="busy", PolicyArn=managed)
    conflict(iam.delete_role, "Cannot delete entity, must delete policies first.", RoleName="busy")
    iam.delete_role_policy(RoleName="busy", PolicyName="permissions")
    iam.delete_role(RoleName="busy")
    assert failing(iam.get_role, "NoSuchEntity", RoleName="busy")["Message"] == "The role with name busy cannot be found."


def test_a_user_goes_when_nothing_hangs_on_him(root):
    iam = root.iam
    user = root.create_user("leaver", policy(LOGIN))
    iam.put_user_policy(UserName="leaver", PolicyName="inline", PolicyDocument=json.dumps(policy(LOGIN)))
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="leaver")

    def still(words):
        assert failing(iam.delete_user, "DeleteConflict", UserName="leaver")["Message"] == f"Cannot delete entity, must {words} first."

    # The order in which IAM names them is its own; each step takes away what it named.
    steps = {
        "delete access keys": lambda: iam.delete_access_key(UserName="leaver", AccessKeyId=user.credentials.access_key_id),
        "detach all policies": lambda: iam.detach_user_policy(
            UserName="leaver", PolicyArn=f"arn:aws:iam::{root.account}:policy/leaver-policy"),
        "delete policies": lambda: iam.delete_user_policy(UserName="leaver", PolicyName="inline"),
        "remove users from group": lambda: iam.remove_user_from_group(GroupName="team", UserName="leaver"),
    }
    while steps:
        message = failing(iam.delete_user, "DeleteConflict", UserName="leaver")["Message"]
        named = message.removeprefix("Cannot delete entity, must ").removesuffix(" first.")
        assert named in steps, message
        still(named)
        steps.pop(named)()
    iam.delete_user(UserName="leaver")
    assert failing(iam.get_user, "NoSuchEntity", UserName="leaver")["Message"] == "The user with name leaver cannot be found."
    iam.delete_group(GroupName="team")


@pytest.mark.parametrize("what", ["member", "attached", "inline"])
def test_a_group_goes_when_it_is_empty(root, what):
    iam, name = root.iam, f"group-{what}"
    iam.create_group(GroupName=name)
    if what == "member":
        root.create_user("a-member")
        iam.add_user_to_group(GroupName=name, UserName="a-member")
        conflict(iam.delete_group, "Cannot delete entity, must remove users from group first.", GroupName=name)
        iam.remove_user_from_group(GroupName=name, UserName="a-member")
    elif what == "attached":
        arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
        iam.attach_group_policy(GroupName=name, PolicyArn=arn)
        conflict(iam.delete_group, "Cannot delete entity, must detach all policies first.", GroupName=name)
        iam.detach_group_policy(GroupName=name, PolicyArn=arn)
    else:
        iam.put_group_policy(GroupName=name, PolicyName="inline", PolicyDocument=json.dumps(policy(LOGIN)))
        conflict(iam.delete_group, "Cannot delete entity, must delete policies first.", GroupName=name)
        iam.delete_group_policy(GroupName=name, PolicyName="inline")
    iam.delete_group(GroupName=name)
    assert failing(iam.get_group, "NoSuchEntity", GroupName=name)["Message"] == (
        f"The group with name {name} cannot be found.")


def test_what_is_gone_cannot_be_deleted_again(root):
    iam, ecr = root.iam, root.ecr
    failing(iam.delete_user, "NoSuchEntity", UserName="never-was")
    failing(iam.delete_role, "NoSuchEntity", RoleName="never-was")
    failing(iam.delete_group, "NoSuchEntity", GroupName="never-was")
    failing(ecr.delete_repository, "RepositoryNotFoundException", repositoryName="never-was")
    failing(ecr.delete_repository_policy, "RepositoryNotFoundException", repositoryName="never-was")


def test_names_are_taken_once(root):
    iam, ecr = root.iam, root.ecr
    root.create_user("taken")
    assert failing(iam.create_user, "EntityAlreadyExists", UserName="taken")["Message"] == (
        "User with name taken already exists.")
    assert failing(iam.create_user, "EntityAlreadyExists", UserName="TAKEN")["Code"]
    root.create_repository("taken")
    assert failing(ecr.create_repository, "RepositoryAlreadyExistsException", repositoryName="taken")["Message"] == (
        "The repository with name 'taken' already exists in the registry with id '123456789012'")


def test_two_access_keys_are_the_limit(root):
    root.create_user("keys")
    root.iam.create_access_key(UserName="keys")
    error = failing(root.iam.create_access_key, "LimitExceeded", UserName="keys")
    assert error["Message"] == "Cannot exceed quota for AccessKeysPerUser: 2"
