"""Signing in to the console through a company's identity provider, by OpenID Connect and by SAML 2.0: set up on the
provider's screen, by keyboard, and on to a pushed image with the role's rights."""

import re

import pytest

from berth.audit import events
from berth.browser import NARROW, Browser, expect
from berth.company import CLIENT, NAME, SECRET, Company
from berth.people import Credentials, Person
from berth.policies import allow, policy, push_and_pull, trust
from berth.server import Server
from berth.service import MODEL

ALICE = {"sub": "u-1", "email": "alice@example.com"}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    with Company(tmp_path_factory.mktemp("company")) as company:
        yield company


@pytest.fixture(scope="module")
def berth(tmp_path_factory, company):
    with Server(tmp_path_factory.mktemp("federation"), *company.trusted) as server:
        yield server


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module")
def oidc(root, company):
    """The OIDC provider in IAM, and a role for alice who may push to `web/app`."""
    arn = root.iam.create_open_id_connect_provider(
        Url=company.url(NAME), ClientIDList=[CLIENT], ThumbprintList=["0" * 40])["OpenIDConnectProviderArn"]
    subject = {"StringEquals": {f"{company.name(NAME)}:sub": "u-1"}}
    root.create_repository("web/app")
    root.create_role("developer", trust({"Federated": arn}, subject, ["sts:AssumeRoleWithWebIdentity"]),
                     policy(*push_and_pull("web/app"), allow("ecr:DescribeRepositories", "*")))
    return arn


@pytest.fixture(scope="module")
def saml(root, company):
    """The SAML provider in IAM, and two roles."""
    arn = root.iam.create_saml_provider(Name="directory", SAMLMetadataDocument=company.saml.metadata)["SAMLProviderArn"]
    trusted = trust({"Federated": arn}, {}, ["sts:AssumeRoleWithSAML"])
    may = policy(allow("ecr:DescribeRepositories", "*"))
    roles = [root.create_role(name, trusted, may) for name in ("auditor", "operator")]
    company.roles = [(role, arn) for role in roles]
    return arn


def visitor(browser, company, **more):
    """A page of somebody who comes by, whose browser goes to the company's provider and back. Before the sign-in there
    is no session, which is an answer of 401."""
    return browser.page(certificate_is_ours=True, visits=[company.origin], expect_refusals=True, **more)


def press(page, button):
    """Presses a button by keyboard alone."""
    page.tab_to(button)
    page.press("Enter")


def to_company(page, root, name):
    """From the sign-in page to the company's own, by keyboard."""
    page.heading("Sign in to Berth").wait_for()
    tab = page.get_by_role("tab", name="Company sign-in")
    if tab.get_attribute("aria-selected") != "true":
        page.tab_to(page.get_by_role("tab", selected=True))
        page.press("ArrowRight")
        tab.and_(page.get_by_role("tab", selected=True)).wait_for()
    account = page.get_by_label("Account id or alias of your company")
    page.tab_to(account)
    page.press("Control+a")
    page.keyboard.type(root.account)
    page.press("Enter")
    way = page.get_by_role("button", name=f"Sign in with {name}", exact=True)
    way.wait_for()
    page.axe()
    press(page, way)
    page.heading("Company login").wait_for()


def role_of(page, root, name):
    """The person that the page's session is, for docker and boto3."""
    given = page.evaluate("""async () => (await fetch("/console/session/credentials", {
        method: "POST", headers: {"content-type": "application/json"}, body: "{}"})).json()""")
    credentials = Credentials.of({"AccessKeyId": given["accessKeyId"], "SecretAccessKey": given["secretAccessKey"],
                                  "SessionToken": given["sessionToken"]})
    return Person(root.server, name, credentials, root.account, given["arn"])


def turn_on(browser, root, arn, fill):
    """Turns sign-in on, on the provider's screen, by keyboard; answers what is to be registered at the provider."""
    page = browser.page()
    page.sign_in(root, f"/identity-providers/{arn.replace('/', '%2F').replace(':', '%3A')}")
    page.get_by_role("heading", name="Sign-in to this console").wait_for()
    press(page, page.get_by_role("button", name="Turn on"))
    dialog = page.get_by_role("dialog", name="Sign-in to this console")
    dialog.wait_for()
    for label, text in fill.items():
        field = dialog.get_by_label(label)
        page.tab_to(field)
        page.keyboard.type(text)
    page.axe()
    press(page, dialog.get_by_role("button", name="Save"))
    page.get_by_role("button", name="Turn off").wait_for()
    page.axe()
    press(page, page.get_by_role("button", name=re.compile("^Copy: .*register at the provider")))
    url = page.evaluate("navigator.clipboard.readText()")
    assert page.get_by_text(url, exact=True).is_visible()
    return page, url


def test_a_person_signs_in_by_oidc_and_pushes_with_the_role(browser, berth, root, company, oidc):
    """From the provider's screen to a pushed image; the sign-in leads to the address that the person wanted."""
    page, url = turn_on(browser, root, oidc, {
        "Name on the sign-in page": "Acme", "Client id": CLIENT, "Client secret": SECRET})
    assert url.startswith(f"{berth.url}/console/federation/oidc/")
    assert SECRET not in page.content()
    company.registered.add(url)
    company.claims = ALICE

    page = visitor(browser, company).open("/repositories/web/app")
    to_company(page, root, "Acme")
    press(page, page.get_by_role("button", name="Continue"))
    page.heading("web/app").wait_for()
    assert page.url == f"{berth.url}/console/repositories/web/app"
    assert page.evaluate("document.cookie") == "", "scripts do not see the cookies"
    page.get_by_role("button", name="developer/alice@example.com").wait_for()
    alice = role_of(page, root, "alice")
    assert alice.arn == f"arn:aws:sts::{root.account}:assumed-role/developer/alice@example.com"
    alice.docker.login().ok()
    alice.docker.build("web/app:v1")
    alice.docker.push("web/app:v1").ok()
    page.check()

    # The address of the provider's answer is no way in for anybody else, or again.
    login = events(berth, eventName="ConsoleLogin")[-1]
    assert login["userIdentity"]["type"] == "AssumedRole"
    assert login["additionalEventData"]["OidcProviderArn"] == oidc


def test_a_person_signs_in_by_saml_and_chooses_a_role(browser, berth, root, company, saml):
    page, url = turn_on(browser, root, saml, {"Name on the sign-in page": "Acme directory"})
    assert url == f"{berth.url}/console/federation/saml"
    assert page.get_by_text(f"{url}/metadata", exact=True).is_visible()
    company.registered.add(url)

    page = visitor(browser, company).open("/repositories")
    to_company(page, root, "Acme directory")
    press(page, page.get_by_role("button", name="Continue"))
    page.heading("Choose a role").wait_for()
    page.get_by_role("radio", name="auditor").wait_for()
    page.axe()
    page.tab_to(page.get_by_role("radio", name="auditor"))
    page.press("ArrowDown")
    expect(page.get_by_role("radio", name="operator")).to_be_checked()
    press(page, page.get_by_role("button", name="Sign in", exact=True))
    page.heading("Repositories").wait_for()
    alice = role_of(page, root, "saml-alice")
    assert alice.arn == f"arn:aws:sts::{root.account}:assumed-role/operator/alice@example.com"
    assert alice.ecr.describe_repositories()["repositories"] is not None
    # Back does not lead to the provider's answer, which counted once.
    page.reload()
    page.heading("Repositories").wait_for()
    page.check()


def test_failures_are_said_in_plain_words(browser, root, company, oidc, monkeypatch):
    """The company refuses, knows nobody, or somebody sends a link to an answer of their own."""
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    shown = root.boto("berth").put_provider_settings(
        providerArn=oidc, consoleSignIn={"displayName": "Acme", "clientId": CLIENT, "clientSecret": SECRET})["settings"]
    company.registered.add(shown["consoleCallbackUrl"])
    company.claims = ALICE
    page = visitor(browser, company, size=NARROW, dark=True).open("/repositories/web/app")
    to_company(page, root, "Acme")
    press(page, page.get_by_role("button", name="Refuse"))
    page.get_by_text("The identity provider did not sign you in").wait_for()
    assert page.url.endswith("/console/repositories/web/app"), "the wanted address is kept"
    page.axe()

    company.claims = {"sub": "u-9"}
    to_company(page, root, "Acme")
    press(page, page.get_by_role("button", name="Continue"))
    page.get_by_text("no role of this account lets you in").wait_for()
    company.claims = ALICE

    planted = next(url for url in company.registered if "/oidc/" in url)
    page.goto(f"{planted}?code=theirs&state=theirs")
    page.get_by_text("The sign-in was not begun in this browser").wait_for()
    assert "theirs" not in page.url
    page.goto(f"{page.origin}/console/federation/roles")
    page.heading("Choose a role").wait_for()
    page.get_by_text("was not begun in this browser").first.wait_for()
    page.axe()
    page.check()
