"""Walk-through E in the console: the repository's own policy lets another account's user pull, from one network alone; a
third party takes a role with the agreed external id."""

import json

import pytest

from berth.console import begin_role, button, create_repository, field, finish_role, from_template, pushes_and_pulls
from berth.outcome import NO_RESOURCE_POLICY
from berth.people import failing
from berth.policies import LOGIN, PULL, allow, policy, repository_arn

HERE, ELSEWHERE = "127.0.0.0/8", "203.0.113.0/24"  # the tests come from the loopback address


@pytest.fixture(scope="module")
def partner(berth):
    return berth.create_account("444455556666")


def save(hands):
    page = hands.page
    hands.press(button(page, "Review and save"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("row").nth(1).wait_for()
    hands.press(dialog.get_by_role("button", name="Save", exact=True))
    dialog.wait_for(state="hidden")
    page.get_by_text("The policy was saved.", exact=True).first.wait_for()


def test_a_statement_lets_another_accounts_user_pull_from_one_network(hands, root, partner):
    page, app = hands.page, hands.named("shared")
    user = partner.create_user(hands.named("theirs"), policy(LOGIN, allow(PULL, "*")))
    create_repository(hands, app)
    root.docker.login()
    root.docker.build(f"{app}:v1")
    root.docker.push(f"{app}:v1").ok()
    user.docker.login()
    user.docker.pull(f"{app}:v1").denied(action="ecr:BatchGetImage", resource=repository_arn(app), because=NO_RESOURCE_POLICY)

    hands.turn_to(page.get_by_role("tab", name="Permissions"))
    hands.press(button(page, "Add statement"))
    hands.write(field(page, "Name"), "AllowPull")
    hands.write(field(page, "IAM users, roles and sessions"), user.arn)
    hands.choose_all(page.get_by_role("button", name="Actions"), PULL)
    save(hands)
    user.docker.pull(f"{app}:v1").ok()

    # A condition on the address is written in the JSON, beside the form.
    editor = page.get_by_role("textbox", name="Policy document (JSON)")
    for network in (ELSEWHERE, HERE):
        document = json.loads(root.ecr.get_repository_policy(repositoryName=app)["policyText"])
        document["Statement"][0]["Condition"] = {"IpAddress": {"aws:SourceIp": network}}
        hands.write(editor, json.dumps(document))
        save(hands)
        pulled = user.docker.pull(f"{app}:v1")
        pulled.ok() if network == HERE else pulled.failed("is not authorized to perform: ecr:BatchGetImage")


def test_a_third_party_takes_a_role_with_the_external_id(hands, root, partner):
    page, app = hands.page, hands.named("delivery")
    create_repository(hands, app)
    begin_role(hands, "AWS account")
    hands.write(field(page, "Accounts, users and roles"), partner.account)
    page.get_by_text("If it belongs to a third party, require an external ID.").wait_for()
    hands.write(field(page, "External ID"), "agreed-7")
    page.get_by_text("If it belongs to a third party, require an external ID.").wait_for(state="hidden")
    role = finish_role(hands, hands.named("third-party"), lambda: from_template(hands, "Push and pull", app))

    user = partner.create_user(hands.named("courier"), policy(allow("sts:AssumeRole", role)))
    failing(user.sts.assume_role, "AccessDenied", RoleArn=role, RoleSessionName="job")
    failing(user.sts.assume_role, "AccessDenied", RoleArn=role, RoleSessionName="job", ExternalId="agreed-8")
    pushes_and_pulls(user.assume(role, ExternalId="agreed-7"), f"{app}:v1")
