"""Signing in to the console: by password and MFA code, by a one-time link; a password that must be changed; switching to
a role and back; signing out."""

import json
import subprocess
import time

import pytest

from berth.audit import events
from berth.browser import NARROW, WIDE, Browser
from berth.mfa import code
from berth.policies import allow, policy, trust
from berth.server import _environment, binary

PASSWORD = "Correct-horse-9"
REFUSED = "The sign-in failed: the account, the name, the password, the code or the key is wrong."


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module")
def anna(root):
    """A user with a password, who may look at repositories and switch to the role `viewer`."""
    anna = root.create_user("anna", policy(allow("ecr:DescribeRepositories", "*"), allow("sts:AssumeRole", "*")))
    root.iam.create_login_profile(UserName="anna", Password=PASSWORD)
    root.create_role("viewer", trust({"AWS": anna.arn}), policy(allow("iam:ListUsers", "*")))
    return anna


def field(page, name):
    return page.get_by_label(name, exact=True)


def asked(browser, path="/", **more):
    """The sign-in page at an address, for a person whose refusals are part of the story."""
    return browser.page(expect_refusals=True, **more).open(path)


def fill(page, account, user, password):
    field(page, "Account id or alias").fill(account)
    field(page, "User name").fill(user)
    field(page, "Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def menu(page, person, item):
    page.get_by_role("button", name=person).click()
    page.get_by_role("menuitem", name=item).click()


def test_a_user_signs_in_by_keyboard_alone_and_out_again(browser, berth, root, anna):
    root.create_repository("signed/in")
    page = asked(browser, "/repositories/signed/in")
    page.heading("Sign in to Berth").wait_for()
    page.tab_to(field(page, "Account id or alias"))
    page.keyboard.type(root.account)
    page.press("Tab")
    page.keyboard.type("anna")
    page.press("Tab")
    page.keyboard.type(PASSWORD)
    page.press("Enter")
    page.heading("signed/in").wait_for()
    assert page.evaluate("document.cookie") == "", "scripts do not see the session's cookie"
    menu(page, "anna", "Sign out")
    page.heading("Sign in to Berth").wait_for()
    page.reload()
    page.heading("Sign in to Berth").wait_for()
    logins = events(berth, eventName="ConsoleLogin")
    assert [login["responseElements"] for login in logins] == [{"ConsoleLogin": "Success"}]
    assert logins[0]["userIdentity"]["userName"] == "anna"
    page.check()


def test_a_refusal_does_not_tell_what_was_wrong(browser, root, anna):
    said = []
    for account, user, password in ((root.account, "anna", "wrong"), (root.account, "nobody", PASSWORD),
                                    ("999988887777", "anna", PASSWORD), ("no-such-alias", "anna", PASSWORD)):
        page = asked(browser)
        fill(page, account, user, password)
        page.get_by_text(REFUSED).first.wait_for()
        said.append(page.get_by_role("main").inner_text())
        page.check()
    assert len(set(said)) == 1, said


def test_who_has_an_mfa_device_is_asked_for_its_code(browser, root):
    root.create_user("mia")
    root.iam.create_login_profile(UserName="mia", Password=PASSWORD)
    made = root.iam.create_virtual_mfa_device(VirtualMFADeviceName="mia")["VirtualMFADevice"]
    seed = made["Base32StringSeed"].decode()
    # One step of the clock is tolerated, so that the code of the sign-in is a later one.
    step = int(time.time()) // 30 - 1
    root.iam.enable_mfa_device(UserName="mia", SerialNumber=made["SerialNumber"],
                               AuthenticationCode1=code(seed, step - 1), AuthenticationCode2=code(seed, step))
    page = asked(browser)
    fill(page, root.account, "mia", PASSWORD)
    field(page, "MFA code").fill("000000")
    page.axe()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text(REFUSED).first.wait_for()
    field(page, "MFA code").fill(code(seed, int(time.time()) // 30))
    page.get_by_role("button", name="Sign in").click()
    page.heading("Home").wait_for()
    page.check()


def test_a_password_that_must_be_changed_is_changed_first(browser, root):
    root.create_user("nora", policy(allow("iam:ChangePassword", "*"), allow("ecr:DescribeRepositories", "*")))
    root.iam.create_login_profile(UserName="nora", Password=PASSWORD, PasswordResetRequired=True)
    page = asked(browser, "/repositories")
    fill(page, root.account, "nora", PASSWORD)
    field(page, "New password").fill("Another-horse-10")
    field(page, "New password, once more").fill("Another-horse-11")
    submit = page.get_by_role("button", name="Set the password and sign in")
    submit.click()
    page.get_by_text("The two passwords differ.").first.wait_for()
    page.axe()
    field(page, "New password, once more").fill("Another-horse-10")
    submit.click()
    page.heading("Repositories").wait_for()
    again = asked(browser)
    fill(again, root.account, "nora", PASSWORD)
    again.get_by_text(REFUSED).first.wait_for()
    fill(again, root.account, "nora", "Another-horse-10")
    again.heading("Home").wait_for()
    again.check()
    page.check()


def test_a_one_time_link_signs_the_root_user_in_once(browser, berth, root):
    done = subprocess.run(
        [binary(), "account", "recover", root.account, "--data-dir", berth.data, "--public-url", berth.url, "--output", "json"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, env=_environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    link = json.loads(done.stdout)["signInLink"]
    page = browser.page(expect_refusals=True)
    page.goto(link)
    page.get_by_text("It works once.").wait_for()
    assert "#" not in page.url, "the token leaves the address at once"
    page.axe()
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.heading("Home").wait_for()
    page.check()
    again = browser.page(expect_refusals=True)
    again.goto(link)
    again.get_by_role("button", name="Sign in", exact=True).click()
    again.get_by_text(REFUSED).first.wait_for()
    again.check()


def test_a_role_is_switched_to_under_a_badge_and_left_again(browser, berth, root, anna):
    page = asked(browser, "/users")
    fill(page, root.account, "anna", PASSWORD)
    page.heading("Users").wait_for()
    page.get_by_text("iam:ListUsers").first.wait_for()
    menu(page, "anna", "Switch role…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Account id or alias").fill(root.account)
    dialog.get_by_label("Role name").fill("viewer")
    dialog.get_by_label("Display name").fill("Read only")
    page.axe()
    dialog.get_by_role("button", name="Switch", exact=True).click()
    page.get_by_role("status").filter(has_text="Read only").wait_for()
    page.open("/users")
    page.get_by_role("link", name="anna", exact=True).wait_for()
    page.axe()
    stored = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert "viewer" in stored and "ASIA" not in stored, "recent roles are kept without secrets"
    menu(page, "viewer/", "Back to anna")
    page.get_by_role("status").filter(has_text="Read only").wait_for(state="hidden")
    page.get_by_role("button", name="anna", exact=True).wait_for()
    switched = [event["eventName"] for event in events(
        berth, at_least=2, where=lambda event: event["eventName"] in ("SwitchRole", "ExitRole"))]
    assert switched == ["SwitchRole", "ExitRole"]
    page.check()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_each_way_to_sign_in_is_accessible(browser, size, dark):
    page = asked(browser, size=size, dark=dark)
    for tab in ("IAM user", "Access key", "Root user"):
        page.get_by_role("tab", name=tab).click()
        page.axe()
    page.check()
