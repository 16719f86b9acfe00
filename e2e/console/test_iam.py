"""Users, roles, policies and their removal in the console: by mouse, then by keyboard alone. Each story ends with what
its clicks made possible, by docker."""

import csv

import pytest

from berth.browser import Browser
from berth.outcome import NO_IDENTITY_POLICY
from berth.people import Credentials, Person, failing
from berth.policies import LOGIN, policy


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


def button(page, name, **more):
    return page.get_by_role("button", name=name, exact=True, **more)


def field(page, name):
    return page.get_by_role("textbox", name=name)


def secret_of(page):
    """The access key that the page shows: its id and its secret, after a click on Show."""
    group = page.get_by_role("group", name="Secret access key")
    group.get_by_role("button", name="Show secret access key").click()
    secret = group.locator("code").inner_text()
    key = page.get_by_role("group", name="Access key ID").inner_text().split("\n")[-1].strip()
    return key, secret


def person(berth, root, name, key, secret):
    return Person(berth, name, Credentials(key, secret), root.account, f"arn:aws:iam::{root.account}:user/{name}")


def pushes_and_pulls(user, reference):
    user.docker.login()
    message = user.docker.build(reference)
    user.docker.push(reference).ok()
    user.docker.pull(reference).ok()
    assert user.docker.message(reference) == message


def test_a_user_with_a_key_and_a_policy_from_a_template(page, berth, root, tmp_path):
    root.create_repository("my-app")
    root.create_repository("payroll")
    page.open("/users")
    page.get_by_role("link", name="Create user").click()
    page.heading("Create user").wait_for()
    field(page, "User name").fill("alice")
    page.get_by_role("radio", name="From a template").check()
    field(page, "Repositories").fill("my-app")
    button(page, "Create user").click()
    page.heading("Credentials of alice").wait_for()
    key, secret = secret_of(page)
    with page.expect_download() as download:
        button(page, "Download .csv file").click()
    assert secret not in page.raw.url
    assert secret not in page.evaluate("() => JSON.stringify([localStorage, sessionStorage, history.state])")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    page.axe()

    # Whoever leaves without the secret is asked first.
    page.get_by_role("link", name="Users", exact=True).first.click()
    question = page.get_by_role("dialog", name="Leave without the secret?")
    question.get_by_role("button", name="Stay on this page").first.click()
    page.heading("Credentials of alice").wait_for()
    button(page, "Go to the user").click()
    page.heading("alice").wait_for()

    alice = person(berth, root, "alice", key, secret)
    pushes_and_pulls(alice, "my-app:v1")
    alice.docker.build("payroll:v1")
    alice.docker.push("payroll:v1").denied(
        action="ecr:InitiateLayerUpload", resource=alice.repository_arn("payroll"), because=NO_IDENTITY_POLICY)

    # The columns that `aws configure import --csv` reads (AWS CLI Command Reference, "configure import").
    [row] = csv.DictReader(file.read_text().splitlines())
    assert (row["User name"], row["Access key ID"], row["Secret access key"]) == ("alice", key, secret)


def test_a_pull_only_user_by_keyboard_alone(page, berth, root):
    root.create_repository("web")
    root.docker.login()
    root.docker.build("web:v1")
    root.docker.push("web:v1").ok()
    page.open("/users/create")
    page.tab_to(field(page, "User name"))
    page.raw.keyboard.type("deploy")
    page.tab_to(page.get_by_role("radio", name="None now"))
    page.press("ArrowRight")
    page.tab_to(page.get_by_role("radio", name="Push and pull"))
    page.press("ArrowDown")
    page.tab_to(field(page, "Repositories"))
    page.raw.keyboard.type("web, my-app-*")
    page.press("Enter")
    page.heading("Credentials of deploy").wait_for()
    group = page.get_by_role("group", name="Secret access key")
    page.tab_to(group.get_by_role("button", name="Show secret access key"))
    page.press("Enter")
    secret = group.locator("code").inner_text()
    key = page.get_by_role("group", name="Access key ID").inner_text().split("\n")[-1].strip()
    page.tab_to(button(page, "Go to the user"))
    page.press("Enter")
    page.heading("deploy").wait_for()

    deploy = person(berth, root, "deploy", key, secret)
    deploy.docker.login()
    deploy.docker.pull("web:v1").ok()
    deploy.docker.build("web:v2")
    deploy.docker.push("web:v2").denied(
        action="ecr:InitiateLayerUpload", resource=deploy.repository_arn("web"), because=NO_IDENTITY_POLICY)


def test_a_role_for_a_ci_user_and_its_trust_relationship(page, berth, root):
    root.create_repository("ci-app")
    circleci = root.create_user("circleci")
    page.open("/roles/create")
    page.get_by_role("radio", name="AWS account").check()
    field(page, "Accounts, users and roles").fill(circleci.arn)
    button(page, "Next").click()
    page.get_by_role("radio", name="From a template").check()
    field(page, "Repositories").fill("ci-app")
    button(page, "Next").click()
    field(page, "Role name").fill("containerise")
    button(page, "Create role").click()
    page.heading("containerise").wait_for()

    arn = f"arn:aws:iam::{root.account}:role/containerise"
    pushes_and_pulls(circleci.assume(arn), "ci-app:v1")

    page.get_by_role("tab", name="Trust relationship").click()
    page.axe()
    button(page, "Edit trust policy").click()
    field(page, "External ID").fill("job-7")
    button(page, "Save changes").click()
    page.get_by_text("The trust policy is saved.").wait_for()
    failing(circleci.sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="job")
    pushes_and_pulls(circleci.assume(arn, ExternalId="job-7"), "ci-app:v2")

    session = circleci.assume(arn, ExternalId="job-7")
    page.get_by_role("tab", name="Sessions").click()
    button(page, "Revoke active sessions").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("revoke")
    dialog.get_by_role("button", name="Revoke active sessions").click()
    page.get_by_text("All sessions that began before now are revoked.").wait_for()
    failing(session.ecr.get_authorization_token, "AccessDeniedException")


def test_the_wizard_warns_of_an_issuer_without_a_subject(page, root):
    root.iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com",
                                             ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    page.open("/roles/create")
    page.get_by_role("radio", name="Web identity").check()
    page.get_by_role("button", name="Identity provider").click()
    page.get_by_role("option", name="token.actions.githubusercontent.com").click()
    page.get_by_text("IAM refuses the policy without a condition on").wait_for()
    field(page, "Organization").fill("octo-org")
    field(page, "Repository").fill("app")
    page.get_by_text("IAM refuses the policy without a condition on").wait_for(state="detached")
    shown = page.get_by_role("region", name="Trust policy").inner_text()
    assert '"token.actions.githubusercontent.com:sub": "repo:octo-org/app:*"' in shown
    page.axe()


def test_clean_up_shows_what_depends_on_a_user_and_removes_it(page, root):
    iam = root.iam
    root.create_user("leaver", policy(LOGIN))
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="leaver")
    iam.create_login_profile(UserName="leaver", Password="Correct-horse-7")
    page.open("/users/leaver")
    button(page, "Delete").click()
    dialog = page.get_by_role("dialog", name="Delete leaver")
    steps = dialog.get_by_role("list", name="Steps").get_by_role("listitem")
    steps.first.wait_for()
    told = "\n".join(steps.all_inner_texts())
    for word in ("Delete the password of", "Delete access key", "Detach policy", "Remove membership", "Delete user"):
        assert word in told, told
    page.axe()
    assert dialog.get_by_role("button", name="Delete", exact=True).is_disabled()
    dialog.get_by_role("textbox").fill("leaver")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("leaver is deleted.").wait_for()
    page.heading("Users").wait_for()
    failing(iam.get_user, "NoSuchEntity", UserName="leaver")
    iam.delete_group(GroupName="team")


def test_clean_up_of_a_role_and_a_policy_by_keyboard_alone(page, root):
    iam = root.iam
    arn = root.create_policy("shared", policy(LOGIN))
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    root.create_role("host", trust, policy(LOGIN))
    iam.attach_role_policy(RoleName="host", PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName="host")
    iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")

    for path, name, list_heading in (("/roles/host", "host", "Roles"),
                                     (f"/policies/{arn.replace(':', '%3A').replace('/', '%2F')}", "shared", "Policies")):
        page.open(path)
        page.heading(name).wait_for()
        page.tab_to(button(page, "Delete"))
        page.press("Enter")
        dialog = page.get_by_role("dialog", name=f"Delete {name}")
        typed = dialog.get_by_role("textbox")
        typed.wait_for()
        page.tab_to(typed)
        page.raw.keyboard.type(name)
        page.press("Enter")
        page.get_by_text(f"{name} is deleted.").wait_for()
        page.heading(list_heading).wait_for()
    failing(iam.get_role, "NoSuchEntity", RoleName="host")
    failing(iam.get_instance_profile, "NoSuchEntity", InstanceProfileName="host")
    failing(iam.get_policy, "NoSuchEntity", PolicyArn=arn)


def test_what_strangers_wrote_is_shown_as_text(page, root):
    iam = root.iam
    attack = "<img/src=x/onerror=alert(1)>"
    iam.create_user(UserName="mallory", Path=f"/{attack}/")
    trust = {"Version": "2012-10-17", "Statement": [
        {"Sid": "S", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    root.create_role("described", trust)
    iam.update_role(RoleName="described", Description=attack)
    document = policy(LOGIN | {"Resource": f"arn:aws:ecr:us-east-1:{root.account}:repository/{attack}"})
    arn = root.create_policy("written", document)
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "javascript:alert(1)".replace("(", "/").replace(")", ""), "Value": "x"}])
    for path in ("/users", "/users/mallory", "/roles", "/roles/described"):
        page.open(path)
        page.get_by_text(attack).first.wait_for()
    page.open(f"/policies/{arn.replace(':', '%3A').replace('/', '%2F')}")
    page.get_by_role("region", name="Policy document").get_by_text("onerror").wait_for()
    assert page.locator("img[src=x]").count() == 0
    # A dialog or an exception of a script fails the page's check.
