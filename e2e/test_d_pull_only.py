"""Walk-through D: deployments that only pull, several repositories in one policy, and the wildcard `my-app-*`."""

import pytest

from berth.outcome import DENIED_BY_IDENTITY_POLICY, NO_BOUNDARY, NO_IDENTITY_POLICY
from berth.people import failing
from berth.policies import allow, deny, policy, pull_only, push_and_pull


@pytest.fixture(scope="module")
def builder(root):
    """Pushes to all the repositories, so that there is something to pull."""
    names = ("web", "worker", "my-app-api", "my-app-ui", "my-application")
    for name in names:
        root.create_repository(name)
    user = root.create_user("builder", policy(*push_and_pull(*names)))
    user.docker.login()
    messages = {}
    for name in names:
        messages[name] = user.docker.build(f"{name}:v1")
        user.docker.push(f"{name}:v1").ok()
    user.messages = messages
    return user


@pytest.fixture(scope="module")
def deployer(root, builder):
    user = root.create_user("deployer", policy(*pull_only("web", "worker")))
    user.docker.login()
    return user


@pytest.mark.parametrize("name", ["web", "worker"])
def test_the_deployer_pulls_and_runs_each_of_its_repositories(deployer, builder, name):
    deployer.docker.pull(f"{name}:v1").ok()
    assert deployer.docker.message(f"{name}:v1") == builder.messages[name]


def test_the_deployer_may_not_push(deployer):
    deployer.docker.build("web:mine")
    deployer.docker.push("web:mine").denied(
        action="ecr:InitiateLayerUpload", resource=deployer.repository_arn("web"), because=NO_IDENTITY_POLICY)


def test_the_deployer_may_not_move_a_tag_to_an_image_that_is_there(deployer):
    image = deployer.ecr.batch_get_image(repositoryName="web", imageIds=[{"imageTag": "v1"}])["images"][0]
    deployer.refused(deployer.ecr.put_image, repositoryName="web", imageManifest=image["imageManifest"], imageTag="latest",
                     action="ecr:PutImage", resource=deployer.repository_arn("web"), because=NO_IDENTITY_POLICY)


def test_the_deployer_may_not_delete(deployer):
    deployer.refused(deployer.ecr.batch_delete_image, repositoryName="web", imageIds=[{"imageTag": "v1"}],
                     action="ecr:BatchDeleteImage", resource=deployer.repository_arn("web"), because=NO_IDENTITY_POLICY)


def test_the_wrong_repository_is_refused(deployer):
    deployer.docker.pull("my-app-api:v1").denied(
        action="ecr:BatchGetImage", resource=deployer.repository_arn("my-app-api"), because=NO_IDENTITY_POLICY)


def test_a_repository_that_does_not_exist_looks_like_any_other_that_is_not_his(deployer):
    deployer.docker.forget("web:v1")
    deployer.docker("pull", deployer.image("nothing-here:v1")).denied(
        action="ecr:BatchGetImage", resource=deployer.repository_arn("nothing-here"), because=NO_IDENTITY_POLICY)


def test_the_wildcard_covers_what_it_matches_and_nothing_else(root, builder):
    wild = root.create_user("wild", policy(*pull_only("my-app-*")))
    wild.docker.login()
    for name in ("my-app-api", "my-app-ui"):
        wild.docker.pull(f"{name}:v1").ok()
        assert wild.docker.message(f"{name}:v1") == builder.messages[name]
    wild.docker.pull("my-application:v1").denied(
        action="ecr:BatchGetImage", resource=wild.repository_arn("my-application"), because=NO_IDENTITY_POLICY)


def test_a_repository_made_later_is_covered_by_the_wildcard_at_once(root, builder):
    later = root.create_user("later", policy(*pull_only("late-*")))
    root.create_repository("late-comer")
    assert later.ecr.list_images(repositoryName="late-comer")["imageIds"] == []


def test_an_explicit_deny_beats_the_wildcard(root, builder):
    arns = [root.repository_arn(n) for n in ("my-app-*", "my-app-ui")]
    user = root.create_user("careful", policy(*pull_only("my-app-*"), deny("ecr:*", arns[1], Sid="NotTheUi")))
    user.docker.login()
    user.docker.pull("my-app-api:v1").ok()
    user.docker.pull("my-app-ui:v1").denied(
        action="ecr:BatchGetImage", resource=arns[1], because=DENIED_BY_IDENTITY_POLICY)


def test_a_group_gives_what_its_policies_give(root, builder):
    iam = root.iam
    iam.create_group(GroupName="pullers")
    iam.attach_group_policy(GroupName="pullers", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly")
    member = root.create_user("member")
    failing(member.ecr.get_authorization_token, "AccessDeniedException")
    iam.add_user_to_group(GroupName="pullers", UserName="member")
    member.docker.login()
    member.docker.pull("web:v1").ok()
    iam.remove_user_from_group(GroupName="pullers", UserName="member")
    member.docker.pull("web:v1").denied(
        action="ecr:BatchGetImage", resource=member.repository_arn("web"), because=NO_IDENTITY_POLICY)


def test_a_permissions_boundary_limits_what_the_policy_gives(root, builder):
    boundary = root.create_policy("pull-boundary", policy(*pull_only("*")))
    user = root.create_user("bounded", policy(allow("ecr:*", "*")))
    root.iam.put_user_permissions_boundary(UserName="bounded", PermissionsBoundary=boundary)
    user.docker.login()
    user.docker.pull("web:v1").ok()
    user.docker.build("web:bounded")
    user.docker.push("web:bounded").denied(
        action="ecr:InitiateLayerUpload", resource=user.repository_arn("web"), because=NO_BOUNDARY)


def test_who_may_log_in_but_pull_nothing(root, builder):
    guest = root.create_user("guest", policy(pull_only("web")[1]))
    guest.docker.login()
    guest.docker.pull("web:v1").denied(
        action="ecr:BatchGetImage", resource=guest.repository_arn("web"), because=NO_IDENTITY_POLICY)
