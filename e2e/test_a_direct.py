"""Walk-through A: an IAM user with a policy on one repository logs in, pushes and pulls with the AWS CLI and docker."""

import json

import pytest

from berth.outcome import NO_IDENTITY_POLICY
from berth.people import failing
from berth.policies import policy, pull_only, push_and_pull


@pytest.fixture(scope="module")
def alice(root):
    root.create_repository("my-app")
    root.create_repository("payroll")
    return root.create_user("alice", policy(*push_and_pull("my-app")))


def test_alice_builds_pushes_pulls_and_runs(alice):
    alice.docker.login()
    message = alice.docker.build("my-app:v1")
    alice.docker.push("my-app:v1").ok()

    alice.docker.pull("my-app:v1").ok()
    assert alice.docker.message("my-app:v1") == message

    images = alice.aws("ecr", "describe-images", "--repository-name", "my-app").json["imageDetails"]
    assert [image["imageTags"] for image in images] == [["v1"]]
    assert images[0]["registryId"] == alice.account


def test_the_classic_builder_and_buildkit_push_alike(alice):
    alice.docker.login()
    for buildkit in (False, True):
        reference = f"my-app:buildkit-{str(buildkit).lower()}"
        message = alice.docker.build(reference, buildkit=buildkit)
        alice.docker.push(reference).ok()
        alice.docker.pull(reference).ok()
        assert alice.docker.message(reference) == message


def test_the_cli_and_docker_name_the_image_by_the_same_digest(alice):
    alice.docker.login()
    alice.docker.build("my-app:digest")
    pushed = alice.docker.push("my-app:digest").ok().text
    image = alice.aws("ecr", "batch-get-image", "--repository-name", "my-app", "--image-ids", "imageTag=digest").json
    digest = image["images"][0]["imageId"]["imageDigest"]
    assert f"digest: {digest} size: " in pushed
    alice.docker.pull(f"my-app@{digest}").ok()


def test_a_repository_outside_her_policy_is_refused_in_words(alice):
    alice.docker.login()
    alice.docker.build("payroll:v1")
    alice.docker.push("payroll:v1").denied(
        action="ecr:InitiateLayerUpload", resource=alice.repository_arn("payroll"), because=NO_IDENTITY_POLICY)
    alice.docker.pull("payroll:v1").denied(
        action="ecr:BatchGetImage", resource=alice.repository_arn("payroll"), because=NO_IDENTITY_POLICY)
    alice.refused(alice.ecr.list_images, repositoryName="payroll", action="ecr:ListImages",
                  resource=alice.repository_arn("payroll"), because=NO_IDENTITY_POLICY)


def test_the_cli_shows_the_same_refusal(alice):
    alice.aws("ecr", "create-repository", "--repository-name", "mine").failed("AccessDeniedException").denied(
        action="ecr:CreateRepository", resource=alice.repository_arn("mine"), because=NO_IDENTITY_POLICY)
    alice.aws("iam", "list-users").failed("(AccessDenied)").denied(
        action="iam:ListUsers", resource=f"arn:aws:iam::{alice.account}:user/", because=NO_IDENTITY_POLICY)


def test_without_a_login_docker_is_told_so(alice):
    mallory = alice.server.root  # root's docker has not logged in
    mallory.docker("pull", alice.image("my-app:v1")).failed("no basic auth credentials")


def test_a_wrong_password_is_no_login(alice):
    alice.docker("login", "--username", "AWS", "--password-stdin", alice.registry, input="wrong").failed("401 Unauthorized")


def test_a_repository_that_does_not_exist_fails_at_once_and_by_name(root):
    root.docker.login()
    root.docker.build("nowhere:v1")
    root.docker.push("nowhere:v1").failed(
        "The repository with name 'nowhere' does not exist in the registry with id '123456789012'")
    failing(root.ecr.list_images, "RepositoryNotFoundException", repositoryName="nowhere")


def test_a_detached_policy_bites_at_the_very_next_request(root):
    root.create_repository("detached")
    dave = root.create_user("dave", policy(*push_and_pull("detached")))
    dave.docker.login()
    dave.docker.build("detached:v1")
    dave.docker.push("detached:v1").ok()
    root.aws("iam", "detach-user-policy", "--user-name", "dave",
             "--policy-arn", f"arn:aws:iam::{root.account}:policy/dave-policy").ok()
    # The same login, the same image: only the policy is gone.
    dave.docker.pull("detached:v1").denied(
        action="ecr:BatchGetImage", resource=dave.repository_arn("detached"), because=NO_IDENTITY_POLICY)


def test_a_policys_new_default_version_decides_at_once(root):
    root.create_repository("versions")
    erin = root.create_user("erin", policy(*push_and_pull("versions")))
    erin.docker.login()
    erin.docker.build("versions:v1")
    erin.docker.push("versions:v1").ok()
    root.iam.create_policy_version(PolicyArn=f"arn:aws:iam::{root.account}:policy/erin-policy",
                                   PolicyDocument=json.dumps(policy(*pull_only("versions"))), SetAsDefault=True)
    erin.docker.pull("versions:v1").ok()
    erin.docker.build("versions:v2")
    erin.docker.push("versions:v2").denied(
        action="ecr:InitiateLayerUpload", resource=erin.repository_arn("versions"), because=NO_IDENTITY_POLICY)


@pytest.mark.parametrize("ending", ["deleted", "deactivated"])
def test_the_docker_login_ends_with_its_access_key(root, ending):
    repository, name = f"key-{ending}", f"frank-{ending}"
    root.create_repository(repository)
    frank = root.create_user(name, policy(*push_and_pull(repository)))
    frank.docker.login()
    frank.docker.build(f"{repository}:v1")
    frank.docker.push(f"{repository}:v1").ok()
    key = frank.credentials.access_key_id
    if ending == "deleted":
        root.aws("iam", "delete-access-key", "--user-name", name, "--access-key-id", key).ok()
    else:
        root.aws("iam", "update-access-key", "--user-name", name, "--access-key-id", key, "--status", "Inactive").ok()
    frank.docker.pull(f"{repository}:v1").failed("Error response from daemon")
    failing(frank.sts.get_caller_identity, "InvalidClientTokenId")
    failing(frank.ecr.describe_repositories, "UnrecognizedClientException")


def test_a_deleted_user_is_gone_with_his_login(root):
    root.create_repository("ghost")
    grace = root.create_user("grace", policy(*push_and_pull("ghost")))
    registry = grace.raw()
    registry("GET", "/v2/").expect(200)
    iam = root.iam
    iam.detach_user_policy(UserName="grace", PolicyArn=f"arn:aws:iam::{root.account}:policy/grace-policy")
    iam.delete_access_key(UserName="grace", AccessKeyId=grace.credentials.access_key_id)
    iam.delete_user(UserName="grace")
    # A new user of that name, with the same policy, is another person.
    iam.create_user(UserName="grace")
    iam.attach_user_policy(UserName="grace", PolicyArn=f"arn:aws:iam::{root.account}:policy/grace-policy")
    registry("GET", "/v2/").expect(401, 403)
    registry("GET", "/v2/ghost/tags/list").expect(401, 403)


def test_an_image_pushed_by_api_is_pulled_by_docker_and_the_other_way_round(root):
    root.create_repository("faces")
    ecr = root.ecr
    root.docker.login()
    message = root.docker.build("faces:v1")
    root.docker.push("faces:v1").ok()

    # From the registry's face to the API's, and back under another tag.
    image = ecr.batch_get_image(repositoryName="faces", imageIds=[{"imageTag": "v1"}])["images"][0]
    ecr.put_image(repositoryName="faces", imageManifest=image["imageManifest"],
                  imageManifestMediaType=image["imageManifestMediaType"], imageTag="v2")
    root.docker.pull("faces:v2").ok()
    assert root.docker.message("faces:v2") == message


def test_a_renamed_user_keeps_key_and_login_under_the_new_name(root):
    root.create_repository("renaming")
    user = root.create_user("maiden", policy(*push_and_pull("renaming")))
    registry = user.raw()
    root.aws("iam", "update-user", "--user-name", "maiden", "--new-user-name", "married", "--new-path", "/staff/").ok()
    assert user.sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{root.account}:user/staff/married"
    registry("GET", "/v2/renaming/tags/list").expect(200)
    used = root.iam.get_access_key_last_used(AccessKeyId=user.credentials.access_key_id)
    assert used["UserName"] == "married" and used["AccessKeyLastUsed"]["ServiceName"] in ("ecr", "sts")
