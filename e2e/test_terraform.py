"""Terraform with the AWS provider: `examples/terraform` is applied, planned without a difference, changed and destroyed.

Walk-throughs A to E and H: what the resources allow is done, and what they do not allow is refused.
"""

import json
import shutil

import pytest

from berth import images
from berth.issuer import SHAPES, Issuer
from berth.jobs import EXAMPLES
from berth.outcome import NO_IDENTITY_POLICY
from berth.people import Credentials, Person, failing
from berth.policies import allow, policy
from berth.server import Server, binary
from berth.terraform import Terraform
from berth.web_identity import anonymous

PARTNER = "444455556666"
#: `terraform plan -detailed-exitcode`, where something would be changed.
DIFFERENCE = 2


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    # The provider cannot compare URLs with a port; nothing else on this machine is at this address.
    with Issuer(tmp_path_factory.mktemp("issuer"), ("127.0.0.77", 443)) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    options = ("--outbound-ca", str(issuer.ca), "--outbound-allow", "127.0.0.0/8")
    with Server(tmp_path_factory.mktemp("terraform"), *options) as server:
        yield server


@pytest.fixture(scope="module")
def terraform(root, issuer):
    partner = root.server.create_account(PARTNER)
    folder = root.home / "terraform"
    shutil.copytree(EXAMPLES / "terraform", folder)
    made = Terraform(root, folder)
    # The provider's own requests of an issuer's certificate verify it.
    made.environment |= {"TF_VAR_issuer": issuer.url("github"), "SSL_CERT_FILE": str(issuer.ca)}
    made.partner = partner
    made.apply()
    return made


def person(root, name, key):
    return Person(root.server, name, key, root.account, f"arn:aws:iam::{root.account}:user/{name}")


def with_key(root, name):
    return person(root, name, Credentials.of(root.iam.create_access_key(UserName=name)["AccessKey"]))


def test_a_user_pushes(root, terraform):
    key = Credentials(terraform.output("alice_access_key_id"), terraform.output("alice_secret_access_key"))
    alice = person(root, "alice", key)
    assert alice.sts.get_caller_identity()["Arn"] == alice.arn
    stored = json.loads(root.ecr.get_lifecycle_policy(repositoryName="app")["lifecyclePolicyText"])
    assert stored["rules"][0]["selection"]["tagStatus"] == "untagged"
    alice.raw().push("app", "v1", images.Image()).expect(201)
    alice.raw()("POST", "/v2/service/blobs/uploads/").expect(403)


def test_jobs_take_a_role(root, terraform, issuer):
    circleci = with_key(root, "circleci")
    circleci.refused(circleci.ecr.get_authorization_token, "ecr:GetAuthorizationToken", "*", NO_IDENTITY_POLICY)
    role = f"arn:aws:iam::{root.account}:role/containerise"
    circleci.assume(role, "build-1", DurationSeconds=7200).raw().push("service", "v1", images.Image()).expect(201)
    call = dict(RoleArn=role, RoleSessionName="job")
    sts = anonymous(root.server)
    answer = sts.assume_role_with_web_identity(WebIdentityToken=issuer.token("github", **SHAPES["github"]), **call)
    job = Person(root.server, "job", Credentials.of(answer["Credentials"]), root.account, answer["AssumedRoleUser"]["Arn"])
    job.raw().push("service", "v2", images.Image()).expect(201)
    failing(sts.assume_role_with_web_identity, "AccessDenied", WebIdentityToken=issuer.token(
        "github", **SHAPES["github"] | {"sub": "repo:octo-org/fork:ref:refs/heads/main"}), **call)


def test_hosts_take_the_role_of_their_instance_profile(root, terraform, tmp_path):
    code = root.run(binary(), "host", "invite", "--instance-profile", "build-hosts").out
    host = Person(root.server, "host", Credentials("", ""), root.account, "")
    host.run(binary(), "agent", "join", "--state-dir", tmp_path, "--endpoint-url", root.server.url, input=code).ok()
    issued = host.run(binary(), "agent", "credential-process", "--state-dir", tmp_path).json
    session = Person(root.server, "session", Credentials.of(issued), root.account, "")
    session.raw().push("builds", "v1", images.Image()).expect(201)
    session.raw()("POST", "/v2/app/blobs/uploads/").expect(403)


def test_deployments_pull(root, terraform):
    deploy = with_key(root, "deploy")
    image = images.Image()
    root.raw().push("my-app-api", "v1", image).expect(201)
    deploy.raw().pull("my-app-api", image)
    deploy.raw()("POST", "/v2/web/blobs/uploads/").expect(403)


def test_other_accounts_and_a_third_party(root, terraform):
    image = images.Image()
    root.raw().push("shared", "v1", image).expect(201)
    role = f"arn:aws:iam::{root.account}:role/partner"
    bob = terraform.partner.create_user("bob", policy(allow("ecr:*", "*"), allow("sts:AssumeRole", role)))
    bob.raw().pull("shared", image)
    failing(bob.sts.assume_role, "AccessDenied", RoleArn=role, RoleSessionName="audit", ExternalId="other")
    bob.assume(role, "audit", ExternalId="7c1f0d").raw().pull("shared", image)


def test_a_change_changes_what_differs(root, terraform):
    root.raw()("POST", "/v2/internal/blobs/uploads/").expect(403)
    changed = {"networks": ["127.0.0.0/8"], "tag_mutability": "IMMUTABLE"}
    assert terraform.plan(**changed).seen().code == DIFFERENCE
    assert "0 added, 2 changed, 0 destroyed" in terraform.apply(**changed).out
    root.raw().push("internal", "v1", images.Image()).expect(201)
    repository, = root.ecr.describe_repositories(repositoryNames=["app"])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    # What somebody else changed is found, and set back.
    root.iam.update_role(RoleName="containerise", MaxSessionDuration=3600)
    root.iam.detach_group_policy(GroupName="deployments", PolicyArn=f"arn:aws:iam::{root.account}:policy/deployments")
    assert terraform.plan(**changed).seen().code == DIFFERENCE
    assert "1 added, 1 changed, 0 destroyed" in terraform.apply(**changed).out


def test_everything_is_destroyed(root, terraform):
    """Walk-through H: the last test of this file."""
    terraform("destroy", "-auto-approve", "-no-color").ok()
    assert root.ecr.describe_repositories()["repositories"] == []
    assert root.iam.list_users()["Users"] == [] and root.iam.list_roles()["Roles"] == []
    assert root.iam.list_policies(Scope="Local")["Policies"] == [] and root.iam.list_groups()["Groups"] == []
    assert root.iam.list_instance_profiles()["InstanceProfiles"] == []
    assert root.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
