"""What all screens share: search, theme, density, the way to an address, and the address after signing in."""

import pytest

from berth.browser import Browser


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


def test_search_by_keyboard_leads_to_a_repository(browser, root):
    root.create_repository("search/needle")
    root.create_repository("search/hay")
    page = browser.page().sign_in(root)
    page.press("Control+k")
    page.keyboard.type("needle")
    page.get_by_role("option", name="search/needle").wait_for()
    page.press("ArrowDown", "ArrowDown", "Enter")
    page.heading("search/needle").wait_for()
    assert page.focused() == ["h1", "search/needle"]
    page.check()


def test_theme_and_density_are_remembered_and_nothing_else_is(browser, root):
    page = browser.page().sign_in(root)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="Dark").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="Compact").click()
    page.reload()
    page.heading("Home").wait_for()
    assert "awsui-dark-mode" in page.locator("body").get_attribute("class")
    page.axe()
    stored = page.evaluate("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")
    assert "dark" in stored and "compact" in stored
    for secret in (root.credentials.access_key_id, root.credentials.secret_access_key, "ASIA"):
        assert secret not in stored, "nothing secret is stored"
    assert page.evaluate("document.cookie") == "", "scripts do not see the session's cookie"
    page.check()


def test_the_first_steps_tick_themselves_off(browser, root, berth):
    other = berth.create_account("444455556666")
    page = browser.page().sign_in(other)
    page.get_by_role("heading", name="First steps").wait_for()
    assert page.get_by_text("To do").count() == 4
    other.create_repository("first/app")
    page.reload()
    page.get_by_text("Done").wait_for()
    assert page.get_by_text("To do").count() == 3
    page.check()


def test_signing_in_leads_to_the_address_that_was_asked_for(browser, root):
    root.create_repository("asked/for")
    page = browser.page().sign_in(root, "/repositories/asked/for?tab=settings")
    page.heading("asked/for").wait_for()
    assert page.get_by_role("tab", name="Settings").get_attribute("aria-selected") == "true"
    page.check()
