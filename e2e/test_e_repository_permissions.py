"""Walk-through E: the repository's own policy, another account's users, a third party's role, and where a call comes from."""

import json

import pytest

from berth.outcome import DENIED_BY_RESOURCE_POLICY, NO_IDENTITY_POLICY, NO_RESOURCE_POLICY, NO_TRUST_POLICY
from berth.people import failing
from berth.policies import LOGIN, PULL, PUSH, allow, deny, policy, push_and_pull, repository_arn, trust

PARTNER = "444455556666"
HERE, ELSEWHERE = "127.0.0.0/8", "203.0.113.0/24"  # the tests come from the loopback address


@pytest.fixture(scope="module")
def partner(berth, root):
    """The root user of a second account on the same server."""
    return berth.create_account(PARTNER)


@pytest.fixture(scope="module")
def owner(root):
    user = root.create_user("owner", policy(allow(["ecr:*"], "*")))
    user.docker.login()
    return user


def repository(owner, name, *statements):
    """A repository with an image `v1` and, where given, a policy of its own; answers the image's message."""
    owner.create_repository(name)
    message = owner.docker.build(f"{name}:v1")
    owner.docker.push(f"{name}:v1").ok()
    if statements:
        owner.ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(policy(*statements)))
    return message


def pullers(principal, sid="AllowPull", **more):
    """A statement as the console writes it: Sid, principal, actions, and no Resource."""
    return allow(PULL, Sid=sid, Principal=principal, **more)


def test_a_user_of_the_account_who_has_only_the_repositorys_word(root, owner):
    user = root.create_user("henry", policy(LOGIN))
    message = repository(owner, "shared", pullers({"AWS": user.arn}))
    user.docker.login()
    user.docker.pull("shared:v1").ok()
    assert user.docker.message("shared:v1") == message
    user.docker.build("shared:v2")
    user.docker.push("shared:v2").denied(
        action="ecr:InitiateLayerUpload", resource=user.repository_arn("shared"), because=NO_IDENTITY_POLICY)


def test_the_policy_as_it_was_set_and_removed(root, owner):
    user = root.create_user("ivy", policy(LOGIN))
    repository(owner, "on-loan", pullers({"AWS": user.arn}, "Loan to ivy"))
    got = owner.aws("ecr", "get-repository-policy", "--repository-name", "on-loan").json
    kept = json.loads(got["policyText"])["Statement"]
    assert [(s["Sid"], s["Principal"], sorted(s["Action"])) for s in kept] == [
        ("Loan to ivy", {"AWS": user.arn}, sorted(PULL))]
    user.docker.login()
    user.docker.pull("on-loan:v1").ok()

    owner.aws("ecr", "delete-repository-policy", "--repository-name", "on-loan").ok()
    user.docker.pull("on-loan:v1").denied(
        action="ecr:BatchGetImage", resource=user.repository_arn("on-loan"), because=NO_IDENTITY_POLICY)
    owner.aws("ecr", "get-repository-policy", "--repository-name", "on-loan").failed("RepositoryPolicyNotFoundException")


def test_the_repositorys_deny_beats_the_users_allow(root, owner):
    user = root.create_user("judy", policy(allow("ecr:*", "*")))
    repository(owner, "closed", deny("ecr:BatchGetImage", Sid="NoPulls", Principal={"AWS": user.arn}))
    user.docker.login()
    user.docker.pull("closed:v1").denied(
        action="ecr:BatchGetImage", resource=user.repository_arn("closed"), because=DENIED_BY_RESOURCE_POLICY)


@pytest.mark.parametrize("form", ["{account}", "arn:aws:iam::{account}:root"], ids=["id", "arn"])
def test_naming_the_account_leaves_the_word_to_its_own_policies(root, owner, form):
    principal = {"AWS": form.format(account=root.account)}
    name = "delegated-by-" + ("arn" if form.startswith("arn") else "id")
    user = root.create_user(f"{name}-user", policy(LOGIN))
    repository(owner, name, pullers(principal))
    user.docker.login()
    user.docker.pull(f"{name}:v1").denied(
        action="ecr:BatchGetImage", resource=user.repository_arn(name), because=NO_IDENTITY_POLICY)


def test_a_principal_that_does_not_exist_is_refused(owner):
    owner.create_repository("typo")
    nobody = f"arn:aws:iam::{owner.account}:user/nobody"
    failing(owner.ecr.set_repository_policy, "InvalidParameterException", repositoryName="typo",
            policyText=json.dumps(policy(pullers({"AWS": nobody}))))


# Another account.

def test_the_partners_account_is_another_world(root, partner):
    assert partner.sts.get_caller_identity()["Account"] == PARTNER
    root.create_repository("same-name")
    assert "same-name" not in [r["repositoryName"] for r in partner.ecr.describe_repositories()["repositories"]]
    made = partner.create_repository("same-name")
    assert made["repositoryArn"] == repository_arn("same-name", PARTNER)
    assert [u["UserName"] for u in partner.iam.list_users()["Users"]] == []


def test_another_accounts_user_pulls_when_both_sides_agree(root, owner, partner):
    user = partner.create_user("puller", policy(LOGIN, allow(PULL, repository_arn("for-partner"))))
    message = repository(owner, "for-partner", pullers({"AWS": user.arn}))
    user.docker.login()
    user.docker.pull("for-partner:v1").ok()
    assert user.docker.message("for-partner:v1") == message
    user.docker.build("for-partner:v2")
    user.docker.push("for-partner:v2").failed(
        f"User: {user.arn} is not authorized to perform: ecr:InitiateLayerUpload on resource: {repository_arn('for-partner')}")


def test_another_accounts_user_needs_the_repositorys_word(owner, partner):
    user = partner.create_user("hopeful", policy(LOGIN, allow("ecr:*", "*")))
    repository(owner, "not-for-partner")
    user.docker.login()
    user.docker.pull("not-for-partner:v1").denied(
        action="ecr:BatchGetImage", resource=repository_arn("not-for-partner"), because=NO_RESOURCE_POLICY)


def test_another_accounts_user_needs_his_own_accounts_word_too(owner, partner):
    user = partner.create_user("unsent", policy(LOGIN))
    repository(owner, "open-to-unsent", pullers({"AWS": user.arn}))
    user.docker.login()
    user.docker.pull("open-to-unsent:v1").denied(
        action="ecr:BatchGetImage", resource=repository_arn("open-to-unsent"), because=NO_IDENTITY_POLICY)


def test_another_accounts_root_is_nobody_here(owner, partner):
    repository(owner, "not-for-root")
    partner.docker.login()
    partner.docker.pull("not-for-root:v1").failed(
        f"User: {partner.arn} is not authorized to perform: ecr:BatchGetImage on resource: {repository_arn('not-for-root')}")
    failing(partner.ecr.list_images, "AccessDeniedException", registryId=owner.account, repositoryName="not-for-root")
    failing(partner.ecr.delete_repository, "AccessDeniedException", registryId=owner.account,
            repositoryName="not-for-root", force=True)


def test_the_api_reaches_the_shared_repository_by_its_registry_id(owner, partner):
    user = partner.create_user("by-api", policy(LOGIN, allow(PULL, repository_arn("by-registry-id"))))
    repository(owner, "by-registry-id", pullers({"AWS": user.arn}))
    got = user.ecr.batch_get_image(registryId=owner.account, repositoryName="by-registry-id", imageIds=[{"imageTag": "v1"}])
    assert [i["registryId"] for i in got["images"]] == [owner.account]


def test_a_deleted_and_remade_user_is_not_the_one_that_was_let_in(root, owner):
    user = root.create_user("kim", policy(LOGIN))
    repository(owner, "for-kim", pullers({"AWS": user.arn}))
    iam = root.iam
    user_id = iam.get_user(UserName="kim")["User"]["UserId"]
    iam.detach_user_policy(UserName="kim", PolicyArn=f"arn:aws:iam::{root.account}:policy/kim-policy")
    iam.delete_access_key(UserName="kim", AccessKeyId=user.credentials.access_key_id)
    iam.delete_user(UserName="kim")
    iam.delete_policy(PolicyArn=f"arn:aws:iam::{root.account}:policy/kim-policy")
    again = root.create_user("kim", policy(LOGIN))
    again.docker.login()
    again.docker.pull("for-kim:v1").denied(
        action="ecr:BatchGetImage", resource=again.repository_arn("for-kim"), because=NO_IDENTITY_POLICY)
    kept = json.loads(owner.ecr.get_repository_policy(repositoryName="for-kim")["policyText"])
    assert kept["Statement"][0]["Principal"] == {"AWS": user_id}


# A third party's role.

@pytest.fixture(scope="module")
def third_party(root, partner):
    """The partner's user, and a role here that the partner's account may take with the agreed ExternalId."""
    root.create_repository("deliveries")
    arn = root.create_role("third-party", trust({"AWS": f"arn:aws:iam::{PARTNER}:root"},
                                                {"StringEquals": {"sts:ExternalId": "agreed-7"}}),
                           policy(*push_and_pull("deliveries")))
    user = partner.create_user("courier", policy(allow("sts:AssumeRole", arn)))
    user.role = arn
    return user


def test_the_third_party_delivers_with_the_agreed_external_id(third_party, root):
    session = third_party.assume(third_party.role, "delivery", ExternalId="agreed-7")
    assert session.account == root.account
    session.docker.login()
    session.docker.build("deliveries:v1")
    session.docker.push("deliveries:v1").ok()


@pytest.mark.parametrize("external_id", [{"ExternalId": "agreed-8"}, {"ExternalId": "AGREED-7"}, {}])
def test_a_wrong_or_missing_external_id_is_refused(third_party, external_id):
    third_party.refused(third_party.sts.assume_role, code="AccessDenied", RoleArn=third_party.role, RoleSessionName="intruder",
                        action="sts:AssumeRole", resource=third_party.role, because=NO_TRUST_POLICY, **external_id)


def test_a_third_party_user_without_its_own_accounts_word_is_refused(partner, third_party):
    user = partner.create_user("idle")
    user.refused(user.sts.assume_role, code="AccessDenied", RoleArn=third_party.role, RoleSessionName="intruder", ExternalId="agreed-7",
                 action="sts:AssumeRole", resource=third_party.role, because=NO_IDENTITY_POLICY)


# Where the call comes from.

@pytest.mark.parametrize("side", ["identity", "repository"])
def test_the_source_address_decides(root, owner, side):
    here, elsewhere = ({"IpAddress": {"aws:SourceIp": net}} for net in (HERE, ELSEWHERE))
    name = f"from-{side}"
    user = root.create_user(f"{name}-user", policy(LOGIN))
    repository(owner, name)
    user.docker.login()

    def permit(condition):
        if side == "identity":
            root.iam.put_user_policy(UserName=user.name, PolicyName="where", PolicyDocument=json.dumps(
                policy(allow(PULL, user.repository_arn(name), Condition=condition))))
        else:
            owner.ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(
                policy(pullers({"AWS": user.arn}, Condition=condition))))

    permit(here)
    user.docker.pull(f"{name}:v1").ok()
    permit(elsewhere)
    user.docker.pull(f"{name}:v1").denied(
        action="ecr:BatchGetImage", resource=user.repository_arn(name), because=NO_IDENTITY_POLICY)


def test_a_header_does_not_move_the_source_address(root, owner):
    user = root.create_user("spoofer", policy(LOGIN, allow(
        PULL, repository_arn("walled"), Condition={"IpAddress": {"aws:SourceIp": ELSEWHERE}})))
    repository(owner, "walled")
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        value = "for=203.0.113.9" if name == "Forwarded" else "203.0.113.9"
        user.raw()("GET", "/v2/walled/manifests/v1", headers={name: value, "Accept": "*/*"}).error(403, "DENIED")


def test_everyone_in_the_account_may_push_but_the_one_who_is_barred(root, owner):
    everyone = allow(PULL + PUSH, Sid="Everyone", Principal="*",
                     Condition={"StringEquals": {"aws:PrincipalAccount": root.account}})
    barred = root.create_user("barred", policy(LOGIN))
    repository(owner, "commons", everyone, deny(PUSH, Sid="NotBarred", Principal={"AWS": barred.arn}))
    welcome = root.create_user("welcome", policy(LOGIN))
    for user in (welcome, barred):
        user.docker.login()
        user.docker.pull("commons:v1").ok()
    welcome.docker.build("commons:v2")
    welcome.docker.push("commons:v2").ok()
    barred.docker.build("commons:v3")
    barred.docker.push("commons:v3").denied(
        action="ecr:InitiateLayerUpload", resource=barred.repository_arn("commons"), because=DENIED_BY_RESOURCE_POLICY)


def test_a_policy_that_locks_its_maker_out_wants_force(root):
    """`force` of SetRepositoryPolicy: without it no policy is taken that would keep its maker from setting another one."""
    root.create_repository("locked")
    everyone_out = json.dumps(policy(deny("ecr:*", Principal="*")))
    error = failing(root.ecr.set_repository_policy, "InvalidParameterException", repositoryName="locked", policyText=everyone_out)
    assert "force" in error["Message"]
    failing(root.ecr.get_repository_policy, "RepositoryPolicyNotFoundException", repositoryName="locked")
    # A Deny that leaves the policy itself alone is anybody's right.
    root.ecr.set_repository_policy(repositoryName="locked", policyText=json.dumps(policy(deny("ecr:PutImage", Principal="*"))))
    root.ecr.set_repository_policy(repositoryName="locked", policyText=everyone_out, force=True)
    failing(root.ecr.delete_repository_policy, "AccessDeniedException", repositoryName="locked")
