"""Sessions as people use them: profiles with a role, tags on sessions, chains, and names in policies (IAM User Guide, "ABAC")."""

import json

import pytest

from berth.outcome import NO_IDENTITY_POLICY, NO_TRUST_POLICY
from berth.people import Credentials, Person, failing
from berth.policies import LOGIN, LOOK, PULL, PUSH, allow, policy, push_and_pull, trust

EVERYTHING = LOOK + PULL + PUSH


@pytest.fixture(scope="module")
def ci(root):
    return root.create_user("ci")


def test_a_profile_with_a_role(root, ci, tmp_path):
    """What stands in `~/.aws/config` on a developer's machine: the AWS CLI steps into the role by itself."""
    root.create_repository("profiled")
    arn = root.create_role("deployer", trust({"AWS": ci.arn}, {"StringEquals": {"sts:ExternalId": "e-1"}}),
                           policy(*push_and_pull("profiled")))
    (tmp_path / "config").write_text(
        f"[profile deploy]\nrole_arn = {arn}\nsource_profile = ci\nexternal_id = e-1\nrole_session_name = from-profile\n")
    (tmp_path / "credentials").write_text(
        f"[ci]\naws_access_key_id = {ci.credentials.access_key_id}\naws_secret_access_key = {ci.credentials.secret_access_key}\n")
    shell = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
             "AWS_DEFAULT_OUTPUT": "json"}
    me = ci.run("aws", "--profile", "deploy", "sts", "get-caller-identity", env=shell).json
    assert me["Arn"] == f"arn:aws:sts::{root.account}:assumed-role/deployer/from-profile"
    password = ci.run("aws", "--profile", "deploy", "ecr", "get-login-password", env=shell).out
    ci.docker("login", "--username", "AWS", "--password-stdin", ci.registry, input=password).ok()
    ci.docker.build("profiled:v1")
    ci.docker.push("profiled:v1").ok()


def test_a_users_name_in_his_policy(root):
    """One policy for all: each has the repositories under his own name (`${aws:username}`)."""
    arn = root.create_policy("own-corner", policy(LOGIN, allow(EVERYTHING, root.repository_arn("home/${aws:username}/*"))))
    people = {}
    for name in ("anna", "bert"):
        root.create_repository(f"home/{name}/app")
        people[name] = root.create_user(name)
        root.iam.attach_user_policy(UserName=name, PolicyArn=arn)
    for name, person in people.items():
        assert person.ecr.list_images(repositoryName=f"home/{name}/app")["imageIds"] == []
        other = next(n for n in people if n != name)
        person.refused(person.ecr.list_images, repositoryName=f"home/{other}/app", action="ecr:ListImages",
                       resource=root.repository_arn(f"home/{other}/app"), because=NO_IDENTITY_POLICY)


def test_a_users_tag_against_the_repositorys(root):
    """Whoever carries the repository's team pulls from it; retagging either bites at the next request."""
    same_team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    arn = root.create_policy("same-team", policy(LOGIN, allow(EVERYTHING, "*", Condition=same_team)))
    blue = root.create_repository("blue", tags=[{"Key": "team", "Value": "blue"}])
    root.create_repository("untagged")
    user = root.create_user("tagged")
    root.iam.attach_user_policy(UserName="tagged", PolicyArn=arn)

    def refused(name):
        user.refused(user.ecr.list_images, repositoryName=name, action="ecr:ListImages", resource=root.repository_arn(name),
                     because=NO_IDENTITY_POLICY)

    refused("blue")
    root.iam.tag_user(UserName="tagged", Tags=[{"Key": "team", "Value": "blue"}])
    user.ecr.list_images(repositoryName="blue")
    refused("untagged")
    root.ecr.tag_resource(resourceArn=blue["repositoryArn"], tags=[{"Key": "team", "Value": "red"}])
    refused("blue")


@pytest.fixture(scope="module")
def project_role(root, ci):
    """A role that sees the repositories of the project that its session is tagged with."""
    for project in ("apollo", "gemini"):
        root.create_repository(f"{project}/app")
    return root.create_role(
        "by-project", trust({"AWS": ci.arn}, actions=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]),
        policy(allow(EVERYTHING, root.repository_arn("${aws:PrincipalTag/project}/*")), allow("sts:*", "*")))


def test_a_sessions_tag_opens_its_project(root, ci, project_role):
    job = ci.assume(project_role, "job", Tags=[{"Key": "project", "Value": "apollo"}])
    assert job.ecr.list_images(repositoryName="apollo/app")["imageIds"] == []
    for person in (job, ci.assume(project_role, "untagged")):
        person.refused(person.ecr.list_images, repositoryName="gemini/app", action="ecr:ListImages",
                       resource=root.repository_arn("gemini/app"), because=NO_IDENTITY_POLICY)


def test_tagging_a_session_is_a_permission_of_its_own(root, ci):
    arn = root.create_role("no-tags", trust({"AWS": ci.arn}))
    ci.assume(arn)
    ci.refused(ci.sts.assume_role, code="AccessDenied", RoleArn=arn, RoleSessionName="tagged", Tags=[{"Key": "a", "Value": "b"}],
               action="sts:TagSession", resource=arn, because=NO_TRUST_POLICY)


def test_a_transitive_tag_goes_along_the_chain_and_cannot_be_changed(root, ci, project_role):
    next_role = root.create_role("next", trust({"AWS": project_role}, actions=["sts:AssumeRole", "sts:TagSession"]),
                                 policy(allow(LOOK, root.repository_arn("${aws:PrincipalTag/project}/*"))))
    tags = [{"Key": "project", "Value": "apollo"}]
    kept = ci.assume(project_role, "kept", Tags=tags, TransitiveTagKeys=["project"]).assume(next_role, "second")
    kept.ecr.list_images(repositoryName="apollo/app")
    lost = ci.assume(project_role, "lost", Tags=tags).assume(next_role, "second")
    failing(lost.ecr.list_images, "AccessDeniedException", repositoryName="apollo/app")
    first = ci.assume(project_role, "first", Tags=tags, TransitiveTagKeys=["project"])
    # "If you pass a session tag with the same key as an inherited tag, the operation fails" (AssumeRole, `Tags`).
    error = failing(first.sts.assume_role, "InvalidParameterValue", RoleArn=next_role, RoleSessionName="swap",
                    Tags=[{"Key": "project", "Value": "gemini"}])
    assert "conflicts with a transitive tag key from the calling session" in error["Message"]


def test_a_source_identity_stays_through_the_chain(root, ci, project_role):
    next_role = root.create_role("audited", trust({"AWS": project_role}, {"StringEquals": {"aws:SourceIdentity": "alice"}}, actions=[
        "sts:AssumeRole", "sts:SetSourceIdentity"]))
    ci.assume(project_role, "as-alice", SourceIdentity="alice").assume(next_role)
    job = ci.assume(project_role, "as-bob", SourceIdentity="bob")
    failing(job.sts.assume_role, "AccessDenied", RoleArn=next_role, RoleSessionName="bob")
    failing(job.sts.assume_role, "AccessDenied", RoleArn=next_role, RoleSessionName="bob", SourceIdentity="alice")


def test_what_a_session_hands_on_is_asked_of_the_next_role_too(root, ci, project_role):
    """A transitive tag or a source identity that goes along by itself needs the next trust policy's word as well."""
    plain = root.create_role("plain", trust({"AWS": project_role}))
    ci.assume(project_role, "neither").assume(plain)
    tags = [{"Key": "project", "Value": "apollo"}]
    for action, more in (("sts:TagSession", {"Tags": tags, "TransitiveTagKeys": ["project"]}),
                         ("sts:SetSourceIdentity", {"SourceIdentity": "alice"})):
        job = ci.assume(project_role, "hands-on", **more)
        job.refused(job.sts.assume_role, code="AccessDenied", RoleArn=plain, RoleSessionName="second", action=action,
                    resource=plain, because=NO_TRUST_POLICY)


def test_a_session_of_ones_own(root):
    """GetSessionToken: the user's own permissions, but neither IAM nor the rest of STS without MFA (its API page)."""
    root.create_repository("own")
    user = root.create_user("own", policy(*push_and_pull("own"), allow("iam:*", "*")))
    answer = user.sts.get_session_token(DurationSeconds=900)["Credentials"]
    session = Person(user.server, "own", Credentials.of(answer), user.account, user.arn)
    assert session.sts.get_caller_identity()["Arn"] == user.arn
    session.ecr.list_images(repositoryName="own")
    for call in (session.iam.list_users, session.sts.get_session_token):
        with pytest.raises(session.iam.exceptions.ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] in ("AccessDenied", "InvalidClientTokenId")
    assert root.sts.get_access_key_info(AccessKeyId=answer["AccessKeyId"])["Account"] == root.account


def test_a_registry_password_carries_its_sessions_limits(root, ci):
    """The docker login of a session with a session policy may do no more than the session."""
    root.create_repository("narrowed")
    arn = root.create_role("narrow-me", trust({"AWS": ci.arn}), policy(*push_and_pull("narrowed")))
    job = ci.assume(arn, "reader", Policy=json.dumps(policy(LOGIN, allow(PULL, "*"))))
    registry = job.raw()
    registry("POST", "/v2/narrowed/blobs/uploads/").error(403, "DENIED", "because no session policy allows")
    ci.assume(arn, "whole").raw().start_upload("narrowed")
