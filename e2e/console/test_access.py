"""Access by forms of the console: an MFA device, a password that must be changed, groups, a SAML provider with its role,
settings of a provider, an organization, and the commands that the forms show."""

import base64
import json
import re
import time

import pytest

from berth.console import (begin_role, button, copied, create, field, finish_role, from_template,
                           pushes_and_pulls, run_shown, shown_secret)
from berth.hands import Keyboard, Mouse
from berth.mfa import code
from berth.outcome import NO_IDENTITY_POLICY
from berth.people import Credentials, Person, failing
from berth.policies import allow, policy, push_and_pull
from berth.saml_idp import IdentityProvider

PASSWORD, ANOTHER = "Correct-horse-9", "Another-horse-10"


@pytest.fixture
def page(browser, root):
    page = browser.page(expect_refusals=True).sign_in(root)
    yield page
    page.check()


@pytest.fixture
def keyboard(page, berth):
    return Keyboard(page, berth)


@pytest.fixture
def mouse(page, berth):
    return Mouse(page, berth)


def sign_in_as(browser, root, user, password):
    page = browser.page(expect_refusals=True).open("/")
    for name, value in (("Account id or alias", root.account), ("User name", user), ("Password", password)):
        page.get_by_label(name, exact=True).fill(value)
    button(page, "Sign in").click()
    return page


def test_an_mfa_device_is_assigned_by_keyboard_and_asked_for_at_the_sign_in(keyboard, browser, root):
    page = keyboard.page
    root.create_user("mina")
    root.iam.create_login_profile(UserName="mina", Password=PASSWORD)
    page.open("/users/mina?tab=credentials")
    keyboard.press(button(page, "Assign MFA device"))
    keyboard.write(field(page, "Device name"), "mina-phone")
    keyboard.press(button(page, "Continue"))
    seed = shown_secret(keyboard, "Secret key")
    page.axe()
    # One step of the clock is tolerated, so that the code of the sign-in is a later one.
    step = int(time.time()) // 30 - 1
    keyboard.write(field(page, "First code"), code(seed, step - 1))
    keyboard.write(field(page, "Second code"), code(seed, step))
    shown = page.get_by_role("dialog").inner_text()
    assert code(seed, step) not in shown, "codes stay out of the command"
    keyboard.press(button(page, "Assign"))
    page.get_by_text("The device is assigned.").wait_for()
    [device] = root.iam.list_mfa_devices(UserName="mina")["MFADevices"]
    assert device["SerialNumber"].endswith("mfa/mina-phone")

    other = sign_in_as(browser, root, "mina", PASSWORD)
    other.get_by_label("MFA code", exact=True).fill(code(seed, int(time.time()) // 30))
    button(other, "Sign in").click()
    other.heading("Home").wait_for()
    other.check()


def test_a_password_is_set_and_changed_at_the_first_sign_in(keyboard, browser, root):
    page = keyboard.page
    root.create_user("paula", policy(allow("iam:ChangePassword", "*")))
    page.open("/users/paula?tab=credentials")
    keyboard.press(button(page, "Set a password"))
    keyboard.write(page.get_by_role("dialog").get_by_label("Password", exact=True), PASSWORD)
    keyboard.press(button(page, "As command"))
    command = page.get_by_role("region", name="AWS CLI").inner_text()
    assert '--password "$PASSWORD"' in command and "--password-reset-required" in command
    assert PASSWORD not in page.get_by_role("dialog").inner_text()
    page.axe()
    keyboard.press(button(page, "Save changes"))
    page.get_by_text("The password is saved.").wait_for()

    other = sign_in_as(browser, root, "paula", PASSWORD)
    other.get_by_label("New password", exact=True).fill(ANOTHER)
    other.get_by_label("New password, once more", exact=True).fill(ANOTHER)
    button(other, "Set the password and sign in").click()
    other.heading("Home").wait_for()
    assert not root.iam.get_login_profile(UserName="paula")["LoginProfile"].get("PasswordResetRequired")
    other.check()


def test_a_member_of_a_group_pushes_once_the_group_has_a_policy(keyboard, root):
    page = keyboard.page
    root.create_repository("grouped")
    root.create_policy("grouped-push", policy(*push_and_pull("grouped")))
    user = root.create_user("greta")
    create(keyboard, "Groups", "Create group")
    keyboard.write(field(page, "Group name"), "pushers")
    keyboard.press(button(page, "Create group"))
    page.heading("pushers").wait_for()
    keyboard.press(button(page, "Add users"))
    dialog = page.get_by_role("dialog")
    keyboard.write(field(dialog, "User name"), "greta")
    keyboard.press(dialog.get_by_role("button", name="Add users", exact=True))
    page.get_by_text("greta is in the group.").wait_for()
    user.refused(user.ecr.get_authorization_token, "ecr:GetAuthorizationToken", "*", NO_IDENTITY_POLICY)

    keyboard.turn_to(page.get_by_role("tab", name="Permissions"))
    keyboard.press(button(page, "Attach policies"))
    keyboard.choose_all(page.get_by_role("dialog").get_by_role("button", name="Find policies"), ["grouped-push"],
                        find="grouped-push")
    page.axe()
    keyboard.press(page.get_by_role("dialog").get_by_role("button", name="Attach policies", exact=True))
    page.get_by_text("The policies are attached.").wait_for()
    pushes_and_pulls(user, "grouped:v1")

    keyboard.press(button(page, "Remove policy grouped-push"))
    keyboard.press(page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True))
    page.get_by_text("The policy grouped-push is removed.").wait_for()
    failing(user.ecr.get_authorization_token, "AccessDeniedException")


def test_a_person_of_a_saml_provider_takes_the_role_of_the_wizard(mouse, root):
    page, idp = mouse.page, IdentityProvider()
    root.create_repository("federated")
    page.open("/identity-providers/create?kind=saml")
    field(page, "Provider name").fill("company")
    file = {"name": "metadata.xml", "mimeType": "application/xml", "buffer": idp.metadata.encode()}
    page.get_by_role("button", name="Choose file").set_input_files(file)
    page.get_by_text("metadata.xml").wait_for()
    button(page, "Add provider").click()
    page.heading("company").wait_for()
    page.axe()

    begin_role(mouse, "SAML 2.0 federation")
    mouse.choose(page.get_by_role("button", name="Identity provider"), "company")
    role = finish_role(mouse, "company-push", lambda: from_template(mouse, "Push and pull", "federated"))
    provider = f"arn:aws:iam::{root.account}:saml-provider/company"
    answer = root.sts.assume_role_with_saml(RoleArn=role, PrincipalArn=provider,
                                            SAMLAssertion=encoded(idp.response([(role, provider)])))
    session = Person(root.server, "company", Credentials.of(answer["Credentials"]), root.account,
                     answer["AssumedRoleUser"]["Arn"])
    pushes_and_pulls(session, "federated:v1")

    page.open(f"/identity-providers/{provider.replace(':', '%3A').replace('/', '%2F')}")
    button(page, "Edit settings").click()
    page.get_by_role("checkbox", name="Each assertion can be used once").check()
    button(page, "Save changes").click()
    page.get_by_text("The settings are saved.").wait_for()
    once = {"RoleArn": role, "PrincipalArn": provider, "SAMLAssertion": encoded(idp.response([(role, provider)]))}
    root.sts.assume_role_with_saml(**once)
    failing(root.sts.assume_role_with_saml, "InvalidIdentityToken", **once)


def encoded(response):
    return base64.b64encode(response.encode() if isinstance(response, str) else response).decode()


def test_settings_of_a_provider_keep_their_secrets_to_themselves(mouse, root):
    page = mouse.page
    arn = root.iam.create_open_id_connect_provider(
        Url="https://ci.example.com", ClientIDList=["berth"], ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    page.open(f"/identity-providers/{arn.replace(':', '%3A').replace('/', '%2F')}")
    button(page, "Edit settings").click()
    dialog = page.get_by_role("dialog")
    field(dialog, "Claims that become condition keys").fill("repository_id, environment")
    field(dialog, "Host of the keys").fill("https://keys.example.com")
    dialog.get_by_text("A host and a port, such as 10.0.0.1:6443.").wait_for()
    assert button(dialog, "Save changes").is_disabled()
    field(dialog, "Host of the keys").fill("keys.example.com:8443")
    mouse.choose_all(dialog.get_by_role("button", name="Algorithms of tokens"), ["ES256"])
    dialog.get_by_label("Bearer token").fill("hunter2-token")
    button(dialog, "As command").click()
    dialog.get_by_role("region", name="AWS CLI").wait_for()
    assert "hunter2" not in dialog.inner_text()
    page.axe()
    button(dialog, "Save changes").click()
    page.get_by_text("The settings are saved.").wait_for()
    page.get_by_text("repository_id, environment").wait_for()
    page.get_by_text("keys.example.com:8443").wait_for()
    assert "hunter2" not in page.content()

    # The stored token is kept with its host, and is not sent to another one.
    button(page, "Edit settings").click()
    field(dialog, "Claims that become condition keys").fill("repository_id")
    button(page, "Save changes").click()
    dialog.wait_for(state="hidden")
    token = page.get_by_role("definition").filter(has_text=re.compile("^Set$"))
    token.first.wait_for()
    button(page, "Edit settings").click()
    field(dialog, "Host of the keys").fill("elsewhere.example.com")
    dialog.get_by_text("What this belongs to has changed").wait_for()
    assert button(page, "Save changes").is_disabled()
    field(dialog, "Host of the keys").fill("")
    page.get_by_role("checkbox", name="Remove stored secrets that have no new value").check()
    button(page, "Save changes").click()
    dialog.wait_for(state="hidden")
    token.first.wait_for(state="detached")


def test_an_organization_denies_what_its_policy_names(mouse, root):
    page = mouse.page
    opener = root.create_user("opener", policy(allow("sts:AssumeRole", "*")))
    page.open("/organization")
    button(page, "Create an organization").click()
    page.get_by_text("The organization is created.").wait_for()
    button(page, "Add account").click()
    dialog = page.get_by_role("dialog")
    field(dialog, "Account name").fill("builds")
    field(dialog, "Email").fill("builds@example.com")
    field(dialog, "Email").press("Enter")  # submits, as in any form of several fields
    page.get_by_text("The account is created.").wait_for()
    button(page, "Add unit").click()
    field(dialog, "Unit name").fill("guarded")
    button(dialog, "Add unit").click()
    page.get_by_text("The unit is created.").wait_for()

    organizations = root.boto("organizations")
    [account] = [each["Id"] for each in organizations.list_accounts()["Accounts"] if each["Name"] == "builds"]
    button(page, "Show the policies of builds").click()
    button(page, "Move account").click()
    mouse.choose(dialog.get_by_role("button", name="Where to"), "guarded")
    button(dialog, "Move account").click()
    page.get_by_text("The account is moved.").wait_for()
    [parent] = organizations.list_parents(ChildId=account)["Parents"]
    assert parent["Type"] == "ORGANIZATIONAL_UNIT"

    answer = opener.sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", RoleSessionName="builder")
    session = Person(root.server, "builder", Credentials.of(answer["Credentials"]), account, answer["AssumedRoleUser"]["Arn"])
    session.ecr.create_repository(repositoryName="kept")
    button(page, "Show the policies of guarded").click()
    policies = page.get_by_role("table", name="Service control policies")
    policies.get_by_text("FullAWSAccess").wait_for()
    button(page, "Create policy").first.click()
    field(dialog, "Policy name").fill("keep-images")
    button(dialog, "Create policy").click()
    page.get_by_text("The policy is created.").wait_for()
    button(page, "Attach policy").first.click()
    mouse.choose(dialog.get_by_role("button", name=re.compile("^Policy")), "keep-images")
    page.axe()
    button(dialog, "Attach policy").click()
    page.get_by_text("The policy is attached.").wait_for()
    error = failing(session.ecr.delete_repository, "AccessDeniedException", repositoryName="kept")
    assert "with an explicit deny in a service control policy" in error["Message"]

    button(page, "Detach keep-images").click()
    button(dialog, "Detach").click()
    page.get_by_text("The policy is detached.").wait_for()
    session.ecr.delete_repository(repositoryName="kept")


def test_the_shown_commands_do_what_the_forms_would(mouse, root, tmp_path):
    page = mouse.page
    description = f"it's $(touch {tmp_path}/pwned) `touch {tmp_path}/pwned` \"quoted\" \\ file://x"
    page.open("/policies/create")
    field(page, "Policy name").fill("by-command")
    field(page, "Description").fill(description)
    field(page, "Repositories").fill("commanded, commanded-*")
    mouse.choose(button(page, "From a template"), "Push and pull")
    button(page, "As command").first.click()
    drawer = page.get_by_role("region", name="AWS CLI")
    drawer.wait_for()
    page.axe()
    made = run_shown(root, copied(mouse, "Copy the code for AWS CLI"), env={"AWS_DEFAULT_OUTPUT": "json"}).json["Policy"]
    found = root.iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    assert found["Description"] == description
    document = root.iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]["Document"]
    assert [statement["Sid"] for statement in document["Statement"]] == [
        "ListImagesInRepository", "LogIn", "ManageRepositoryContents"]
    assert not (tmp_path / "pwned").exists()

    # A user with a group, a policy and a key: several commands in their order.
    root.iam.create_group(GroupName="commanded")
    page.open("/users/create")
    field(page, "User name").fill("carla")
    mouse.choose_all(page.get_by_role("button", name=re.compile("^Groups")), ["commanded"])
    page.get_by_role("radio", name="Policy document").check()
    field(page, "Repositories").fill("commanded")
    mouse.choose(button(page, "Insert a template at the cursor"), "Pull only")
    page.get_by_role("textbox", name="Policy document (JSON)").filter(has_text="PullImages").wait_for()
    button(page, "As command").first.click()
    said = run_shown(root, copied(mouse, "Copy the code for AWS CLI"), env={"AWS_DEFAULT_OUTPUT": "json"}).out
    key = json.loads(said[said.rindex("{\n    \"AccessKey\""):])["AccessKey"]
    carla = Person(root.server, "carla", Credentials.of(key), root.account, f"arn:aws:iam::{root.account}:user/carla")
    carla.sts.get_caller_identity()
    carla.ecr.get_authorization_token()
    assert [group["GroupName"] for group in root.iam.list_groups_for_user(UserName="carla")["Groups"]] == ["commanded"]
