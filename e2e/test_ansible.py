"""Ansible's modules for IAM and ECR: the playbooks of `examples/ansible` make, change, leave alone and remove.

Walk-throughs A to E and H: what each playbook allows is done, and what it does not allow is refused.
"""

import configparser
import json
import os
import pathlib

import pytest
from cryptography.hazmat.primitives import serialization

from berth import images
from berth.jobs import EXAMPLES
from berth.outcome import NO_IDENTITY_POLICY
from berth.people import Credentials, Person, failing
from berth.policies import allow, policy
from berth.saml_idp import IdentityProvider
from berth.server import binary

PARTNER = "444455556666"


@pytest.fixture(scope="module")
def playbook(root):
    """Runs a playbook as the account's administrator; answers how many tasks changed something."""
    directory = os.environ.get("BERTH_ANSIBLE")
    assert directory, "BERTH_ANSIBLE must name the folder of Ansible's commands: run `cargo xtask test e2e`"

    def run(name, **variables):
        outcome = root.run(
            pathlib.Path(directory) / "ansible-playbook", EXAMPLES / "ansible" / f"{name}.yml",
            "--extra-vars", json.dumps(variables), timeout_s=600,
            env={"AWS_REGION": root.server.region, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                 "ANSIBLE_HOME": str(root.home / "ansible"), "ANSIBLE_REMOTE_TEMP": str(root.home / "ansible/tmp"),
                 "PATH": f"{directory}:{root.environment['PATH']}"})
        stats = outcome.json["stats"]["localhost"]
        assert (stats["failures"], stats["unreachable"]) == (0, 0), outcome
        return stats["changed"]

    return run


def unchanged(playbook, name, **variables):
    """A second run finds everything as it should be."""
    assert playbook(name, **variables) == 0


def test_a_user_pushes(root, playbook):
    assert playbook("push-as-a-user") > 0
    unchanged(playbook, "push-as-a-user")
    file = configparser.ConfigParser()
    path = root.home / "alice.credentials"
    assert path.stat().st_mode & 0o777 == 0o600
    file.read(path)
    key = Credentials(file["alice"]["aws_access_key_id"], file["alice"]["aws_secret_access_key"])
    alice = Person(root.server, "alice", key, root.account, f"arn:aws:iam::{root.account}:user/alice")
    assert alice.sts.get_caller_identity()["Arn"] == alice.arn
    alice.raw().push("app", "v1", images.Image()).expect(201)
    stored = json.loads(root.ecr.get_lifecycle_policy(repositoryName="app")["lifecyclePolicyText"])
    assert stored["rules"][0]["selection"]["tagStatus"] == "untagged"
    alice.raw()("POST", "/v2/service/blobs/uploads/").expect(403)
    # A change is one change.
    assert playbook("push-as-a-user", mutability="immutable") == 1
    unchanged(playbook, "push-as-a-user", mutability="immutable")
    alice.raw().push("app", "v1", images.Image()).error(400, "TAG_INVALID", "the tag is immutable")


def test_jobs_take_a_role(root, playbook):
    assert playbook("ci-with-a-role") > 0
    unchanged(playbook, "ci-with-a-role")
    key = root.iam.create_access_key(UserName="circleci")["AccessKey"]
    circleci = Person(root.server, "circleci", Credentials.of(key), root.account, f"arn:aws:iam::{root.account}:user/circleci")
    circleci.refused(circleci.ecr.get_authorization_token, "ecr:GetAuthorizationToken", "*", NO_IDENTITY_POLICY)
    job = circleci.assume(f"arn:aws:iam::{root.account}:role/containerise", "build-1", DurationSeconds=7200)
    job.raw().push("service", "v1", images.Image()).expect(201)


def test_hosts_take_the_role_of_their_instance_profile(root, playbook, tmp_path):
    assert playbook("hosts-with-a-role") > 0
    unchanged(playbook, "hosts-with-a-role")
    code = root.run(binary(), "host", "invite", "--instance-profile", "build-hosts").out
    host = Person(root.server, "host", Credentials("", ""), root.account, "")
    host.run(binary(), "agent", "join", "--state-dir", tmp_path, "--endpoint-url", root.server.url, input=code).ok()
    issued = host.run(binary(), "agent", "credential-process", "--state-dir", tmp_path).json
    session = Person(root.server, "session", Credentials.of(issued), root.account, "")
    session.raw().push("builds", "v1", images.Image()).expect(201)
    # Another version of the policy, in force at the next request.
    assert playbook("hosts-with-a-role", builds="elsewhere") == 1
    session.raw()("POST", "/v2/builds/blobs/uploads/").expect(403)


def test_deployments_pull(root, playbook):
    assert playbook("pull-only") > 0
    unchanged(playbook, "pull-only")
    key = root.iam.create_access_key(UserName="deploy")["AccessKey"]
    deploy = Person(root.server, "deploy", Credentials.of(key), root.account, f"arn:aws:iam::{root.account}:user/deploy")
    image = images.Image()
    root.raw().push("my-app-api", "v1", image).expect(201)
    deploy.raw().pull("my-app-api", image)
    deploy.raw()("POST", "/v2/web/blobs/uploads/").expect(403)


def test_other_accounts_a_third_party_and_a_network(root, playbook):
    partner = root.server.create_account(PARTNER)
    assert playbook("repository-permissions") > 0
    unchanged(playbook, "repository-permissions")
    image = images.Image()
    root.raw().push("shared", "v1", image).expect(201)
    role = f"arn:aws:iam::{root.account}:role/partner"
    bob = partner.create_user("bob", policy(allow("ecr:*", "*"), allow("sts:AssumeRole", role)))
    bob.raw().pull("shared", image)
    bob.raw()("POST", "/v2/shared/blobs/uploads/").expect(403)
    failing(bob.sts.assume_role, "AccessDenied", RoleArn=role, RoleSessionName="audit", ExternalId="other")
    bob.assume(role, "audit", ExternalId="7c1f0d").raw().pull("shared", image)
    # The network: this machine is not in it, and then it is.
    root.raw()("POST", "/v2/internal/blobs/uploads/").expect(403)
    assert playbook("repository-permissions", networks=["127.0.0.0/8"]) == 1
    root.raw().push("internal", "v1", image).expect(201)


def test_the_password_policy(root, playbook):
    assert playbook("account") == 1
    unchanged(playbook, "account")
    assert playbook("account", length=20) == 1
    found = root.iam.get_account_password_policy()["PasswordPolicy"]
    assert (found["MinimumPasswordLength"], found["PasswordReusePrevention"], found["RequireSymbols"]) == (20, 5, False)


def test_a_saml_provider_and_a_server_certificate(root, playbook):
    provider, other = IdentityProvider(), IdentityProvider()
    key = provider.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                     serialization.NoEncryption()).decode()
    given = {"metadata": provider.metadata, "certificate": provider.certificate_pem, "private_key": key}
    assert playbook("saml-and-certificates", **given) == 2
    unchanged(playbook, "saml-and-certificates", **given)
    # The provider has a new key: one change.
    given["metadata"] = other.metadata
    assert playbook("saml-and-certificates", **given) == 1
    arn = f"arn:aws:iam::{root.account}:saml-provider/corporate"
    assert root.iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"].strip() == other.metadata.strip()
    kept = root.iam.get_server_certificate(ServerCertificateName="registry")["ServerCertificate"]
    assert kept["ServerCertificateMetadata"]["Path"] == "/tls/"
    assert kept["CertificateBody"].strip() == provider.certificate_pem.strip()


def test_everything_is_removed(root, playbook):
    """Walk-through H. The module does not remove repositories that have images."""
    for repository in root.ecr.describe_repositories()["repositories"]:
        name = repository["repositoryName"]
        pushed = root.ecr.list_images(repositoryName=name)["imageIds"]
        if pushed:
            root.ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": i["imageDigest"]} for i in pushed])
    assert playbook("clean-up") > 0
    unchanged(playbook, "clean-up")
    assert root.ecr.describe_repositories()["repositories"] == []
    assert root.iam.list_users()["Users"] == [] and root.iam.list_roles()["Roles"] == []
    assert root.iam.list_policies(Scope="Local")["Policies"] == []
    assert root.iam.list_instance_profiles()["InstanceProfiles"] == [] and root.iam.list_groups()["Groups"] == []
    failing(root.iam.get_account_password_policy, "NoSuchEntity")
    assert root.iam.list_saml_providers()["SAMLProviderList"] == []
    assert root.iam.list_server_certificates()["ServerCertificateMetadataList"] == []
