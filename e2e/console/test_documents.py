"""Policy documents that somebody else changes while they are edited in the console: nothing is overwritten unseen."""

import json

import pytest

from berth.browser import Browser, expect
from berth.people import failing
from berth.policies import allow, policy, trust

LOGS_IN = "ecr:GetAuthorizationToken"


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture
def page(browser, root):
    page = browser.page(expect_refusals=True)
    page.sign_in(root)
    yield page
    page.check()


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def write(page, text):
    """Replaces the text of the JSON editor by the keyboard."""
    editor = page.get_by_role("textbox", name="Policy document (JSON)")
    editor.click()
    page.press("ControlOrMeta+a")
    page.raw.keyboard.insert_text(text)


def look(action):
    return policy(allow(action, "*"))


def changed(page):
    warning = page.get_by_role("alert").filter(has_text="The document changed while you edited it")
    warning.wait_for()
    return warning


def test_a_proposal_is_not_applied_to_a_document_that_changed(page, root):
    root.create_repository("proposed")
    user = root.create_user("paul")
    root.iam.put_user_policy(UserName="paul", PolicyName="own", PolicyDocument=json.dumps(policy(
        allow("ecr:ListImages", user.repository_arn("proposed")))))
    failing(user.ecr.describe_images, "AccessDeniedException", repositoryName="proposed")
    page.open("/denials")
    page.get_by_role("row").filter(has_text="ecr:DescribeImages").get_by_role("link").first.click()
    page.get_by_role("heading", name="The least change that would allow it").wait_for()
    button(page, "Apply").wait_for()

    other = policy(allow("ecr:ListImages", user.repository_arn("proposed")), allow(LOGS_IN, "*"))
    root.iam.put_user_policy(UserName="paul", PolicyName="own", PolicyDocument=json.dumps(other))
    button(page, "Apply").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply", exact=True).click()
    page.get_by_role("alert").filter(has_text="changed after the proposal was made").wait_for()
    page.axe()
    assert root.iam.get_user_policy(UserName="paul", PolicyName="own")["PolicyDocument"] == other

    button(page, "Make a new proposal").click()
    page.get_by_role("region", name="The change as lines").filter(has_text=LOGS_IN).wait_for()
    button(page, "Apply").click()
    page.get_by_role("dialog").get_by_role("button", name="Apply", exact=True).click()
    page.get_by_text("The policies allow the request now.").or_(page.get_by_text("was changed.")).first.wait_for()
    user.ecr.describe_images(repositoryName="proposed")
    assert LOGS_IN in json.dumps(root.iam.get_user_policy(UserName="paul", PolicyName="own")["PolicyDocument"])


def test_a_managed_policy_that_changed_meanwhile_is_not_overwritten_unseen(page, root):
    arn = root.create_policy("edited", look("ecr:ListImages"))
    page.open(f"/policies/{arn.replace(':', '%3A').replace('/', '%2F')}")
    button(page, "Edit").click()
    write(page, json.dumps(look("ecr:DescribeImages")))
    root.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(look("ecr:DescribeRepositories")), SetAsDefault=True)
    button(page, "Save changes").click()
    warning = changed(page)
    assert "ecr:DescribeRepositories" in warning.get_by_role("region").inner_text()
    page.axe()

    def in_force():
        version = root.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return root.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    assert in_force() == look("ecr:DescribeRepositories")
    button(page, "Keep my edit, to save it over the current document").click()
    button(page, "Save changes").click()
    page.get_by_text("has a new default version").wait_for()
    assert in_force() == look("ecr:DescribeImages")


def test_an_inline_policy_that_changed_meanwhile_is_taken_into_the_editor(page, root):
    root.create_user("inga")
    put = lambda document: root.iam.put_user_policy(UserName="inga", PolicyName="own", PolicyDocument=json.dumps(document))
    put(look("ecr:ListImages"))
    page.open("/users/inga")
    button(page, "own").click()
    write(page, json.dumps(look("ecr:DescribeImages")))
    put(look("ecr:DescribeRepositories"))
    button(page, "Save changes").click()
    changed(page)
    button(page, "Discard my edit and start from the current document").click()
    page.get_by_role("textbox", name="Policy document (JSON)").filter(has_text="ecr:DescribeRepositories").wait_for()
    # A policy of that name appears while a new one is written.
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    button(page, "Create inline policy").click()
    page.get_by_role("textbox", name="Policy name").fill("own")
    button(page, "Save changes").click()
    changed(page)
    found = root.iam.get_user_policy(UserName="inga", PolicyName="own")["PolicyDocument"]
    assert found == look("ecr:DescribeRepositories")


def test_a_trust_policy_and_a_repository_policy_that_changed_meanwhile_stay(page, root):
    first, second = root.create_user("tess"), root.create_user("tom")
    root.create_role("shared-role", trust({"AWS": first.arn}))
    page.open("/roles/shared-role?tab=trust")
    button(page, "Edit trust policy").click()
    page.get_by_role("textbox", name="External ID").fill("job-1")
    root.iam.update_assume_role_policy(RoleName="shared-role", PolicyDocument=json.dumps(trust({"AWS": second.arn})))
    button(page, "Save changes").click()
    changed(page)
    button(page, "Discard my edit and start from the current document").click()
    expect(page.get_by_role("textbox", name="Accounts, users and roles")).to_have_value(second.arn)
    now = root.iam.get_role(RoleName="shared-role")["Role"]["AssumeRolePolicyDocument"]
    assert now["Statement"][0]["Principal"] == {"AWS": second.arn}
    assert "Condition" not in now["Statement"][0]

    root.create_repository("changed/app")
    page.open("/repositories/changed/app?tab=permissions")
    button(page, "Add statement").click()
    page.get_by_role("textbox", name="AWS accounts").fill("111122223333")
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("option", name="ecr:BatchGetImage").click()
    page.press("Escape")
    theirs = policy(allow("ecr:ListImages", Principal={"AWS": f"arn:aws:iam::{root.account}:root"}, Sid="Theirs"))
    root.ecr.set_repository_policy(repositoryName="changed/app", policyText=json.dumps(theirs))
    button(page, "Review and save").click()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    changed(page)
    page.axe()
    assert json.loads(root.ecr.get_repository_policy(repositoryName="changed/app")["policyText"]) == theirs
    button(page, "Discard my edit and start from the current document").click()
    page.get_by_role("textbox", name="Policy document (JSON)").filter(has_text="Theirs").wait_for()
