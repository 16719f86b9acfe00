"""What all screens share: search, theme, density, the way to an address, and the address after signing in."""

from berth.browser import expect


def test_search_by_keyboard_leads_to_a_repository(browser, root):
    root.create_repository("search/needle")
    root.create_repository("search/hay")
    page = browser.page().sign_in(root)
    page.press("Control+k")
    page.keyboard.type("needle")
    page.get_by_role("option", name="search/needle").wait_for()
    page.press("ArrowDown", "ArrowDown", "Enter")
    expect(page.heading("search/needle", exact=True)).to_be_focused()
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


def test_times_follow_the_zone_that_was_chosen_with_utc_on_hover(browser, root):
    root.create_repository("zone/app")
    page = browser.page(zone="Asia/Tokyo").sign_in(root, "/repositories?filter=zone")
    time = page.get_by_role("row").filter(has_text="zone/app").locator("time")
    local = time.inner_text()
    assert "UTC" not in local and time.get_attribute("title").endswith("Z")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="UTC").click()
    time.filter(has_text="UTC").wait_for()
    assert time.inner_text() != f"{local} UTC", "Tokyo is nine hours ahead"
    page.reload()
    time.filter(has_text="UTC").wait_for()
    page.check()


def test_a_question_mark_lists_the_shortcuts(hands):
    page = hands.page
    page.open("/users")
    shortcuts = page.get_by_role("dialog", name="Keyboard shortcuts")
    page.press("?")
    shortcuts.get_by_text("Ctrl+K").wait_for()
    page.axe()
    hands.press(shortcuts.get_by_role("button", name="Close the shortcuts"))
    shortcuts.wait_for(state="hidden")
    # Typed into a field it is a character.
    hands.write(page.get_by_role("searchbox", name="Find users by name"), "?")
    page.press("?")
    expect(page.get_by_role("searchbox", name="Find users by name")).to_have_value("??")
    assert not shortcuts.is_visible()
    # Whoever dictates can turn the key off, and still opens the list.
    hands.choose(page.get_by_role("button", name="Settings"), "Turn the key ? off")
    page.press("?")
    assert not shortcuts.is_visible()
    hands.choose(page.get_by_role("button", name="Settings"), "Show the shortcuts")
    shortcuts.get_by_text("Ctrl+K").wait_for()
    page.press("Escape")
    shortcuts.wait_for(state="hidden")


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
