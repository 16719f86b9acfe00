"""Attacks on a person who is signed in to the console, with a real browser: another site frames it, posts to it, and shows what
strangers wrote. The server's own tests (`crates/server/src/tests/console`) attack each route without a browser."""

import pytest

from berth.policies import LOGIN, policy
from berth.raw import fetch

MARKUP = "<img src=x onerror=alert(1)>"
ATTACKER = "http://attacker.test"


@pytest.fixture
def victim(browser, root):
    """A person who is signed in, and goes to the attacker's page in another tab."""
    page = browser.page(expect_refusals=True, visits=(ATTACKER,)).sign_in(root)
    yield page
    page.check()


def attacks(victim, html):
    """The attacker's page, in a tab beside the victim's."""
    tab = victim.context.new_page()
    tab.route(f"{ATTACKER}/**", lambda route: route.fulfill(content_type="text/html", body=html))
    tab.goto(f"{ATTACKER}/")
    return tab


def test_click_jacking_no_site_frames_the_console(victim):
    tab = attacks(victim, f"<iframe src='{victim.origin}/console/users' width=800 height=600></iframe>")
    tab.wait_for_load_state("networkidle")
    [frame] = [frame for frame in tab.frames if frame != tab.main_frame]
    assert not frame.url.startswith(victim.origin), "the browser refuses to show it"
    assert frame.get_by_role("heading", level=1).count() == 0 or "refused" in frame.locator("body").inner_text()


def test_csrf_another_site_gets_no_credentials(victim):
    tab = attacks(victim, "<p>attack</p>")
    for path in ("credentials", "role", "end"):
        url = f"{victim.origin}/console/session/{path}"
        said = tab.evaluate(
            "async url => { const options = {method: 'POST', credentials: 'include', body: '{}'};"
            " try { return await (await fetch(url, options)).text(); } catch (error) { return String(error); } }", url)
        assert "AccessKey" not in said and "accessKey" not in said, said
    form = f"<form method=post action='{victim.origin}/console/session/end'><button>x</button></form>"
    tab = attacks(victim, form)
    tab.get_by_role("button").click()
    tab.wait_for_load_state("networkidle")
    victim.reload()
    victim.heading("Home").wait_for()  # nobody signed the victim out


def test_the_cookie_of_the_session_opens_neither_the_apis_nor_the_registry(victim, root):
    names = {cookie["name"]: cookie for cookie in victim.context.cookies()}
    cookie = names["__Host-berth-console"]
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/"
    sent = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    assert fetch(f"{victim.origin}/v2/", **sent)[0] == 401
    status, _, body = fetch(f"{victim.origin}/?Action=GetCallerIdentity&Version=2011-06-15", "POST", **sent)
    assert status == 403 and root.account not in str(body)


def test_fixation_a_cookie_that_was_planted_is_not_the_session(browser, root):
    page = browser.page(expect_refusals=True)
    planted = "planted-by-somebody-else"
    page.context.add_cookies([{"name": "__Host-berth-console", "value": planted, "url": browser.origin.replace("http:", "https:"),
                               "secure": True, "httpOnly": True, "sameSite": "Strict"}])
    page.sign_in(root)
    [cookie] = [one for one in page.context.cookies() if one["name"] == "__Host-berth-console"]
    assert cookie["value"] != planted
    page.check()


def test_stored_script_user_agents_names_and_session_names_stay_text(browser, root):
    pia = root.create_user("pia", policy(LOGIN))
    root.create_repository("attacked/app")
    attacker = pia.boto("ecr", user_agent=MARKUP)
    with pytest.raises(attacker.exceptions.ClientError) as refused:
        attacker.describe_images(repositoryName="attacked/app")
    request = refused.value.response["ResponseMetadata"]["RequestId"]
    root.ecr.tag_resource(resourceArn=root.repository_arn("attacked/app"), tags=[{"Key": "javascript:alert", "Value": "x"}])
    page = browser.page(expect_refusals=True).sign_in(root)
    for path in ("/", "/denials", f"/denials/{request}", "/repositories/attacked/app?tab=settings", "/users/pia"):
        page.open(path)
        page.wait_for_load_state("networkidle")
        # A dialog or an exception of a script fails the page's check.
        assert page.locator("img[src=x]").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
    page.check()
