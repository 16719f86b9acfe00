"""Fields whose text stands in the address: no letter is lost, and links and the way back fill them."""

import urllib.parse

import pytest

from berth.browser import expect

FILTERS = {
    "users": ("/users", "searchbox", "Find users by name", "find"),
    "repositories": ("/repositories", "searchbox", "Find by name", "filter"),
    "denials-principal": ("/denials", "searchbox", "Principal (ARN)", "principal"),
    "denials-action": ("/denials", "searchbox", "Action", "action"),
    "tag-moves": ("/repositories/typed/app?tab=activity", "searchbox", "Tag", "tag"),
    "who-can": ("/repositories/typed/app?tab=who-can", "combobox", "Action", "action"),
}
TEXT = "ecr:a-text-of-many-letters"


@pytest.fixture(scope="module", autouse=True)
def repository(root):
    return root.create_repository("typed/app")


@pytest.mark.parametrize("path, role, name, parameter", FILTERS.values(), ids=FILTERS)
def test_each_letter_counts(browser, root, path, role, name, parameter):
    """Keys come in bursts, faster than the page is drawn, and in the middle of the text as well as at its end."""
    page = browser.page(expect_refusals=True).sign_in(root, path)
    field = page.get_by_role(role, name=name, exact=True)
    field.click()
    page.press("Control+a")
    page.keyboard.type(TEXT)
    page.press("Home")
    page.keyboard.type(TEXT)
    expect(field).to_have_value(TEXT + TEXT)
    page.wait_for_url(lambda url: parameters(url).get(parameter) == [TEXT + TEXT])
    expect(field).to_have_value(TEXT + TEXT)


def test_two_filters_in_a_row_are_both_in_the_address(browser, root):
    page = browser.page(expect_refusals=True).sign_in(root, "/denials")
    for name in ("Action", "Resource (ARN)"):
        page.get_by_role("searchbox", name=name, exact=True).click()
        page.keyboard.type("ecr:x")
    page.wait_for_url(lambda url: parameters(url).items() >= {"action": ["ecr:x"], "resource": ["ecr:x"]}.items())


def test_the_field_follows_links_and_the_way_back(browser, root):
    page = browser.page().sign_in(root, "/repositories?filter=typed")
    field = page.get_by_role("searchbox", name="Find by name", exact=True)
    expect(field).to_have_value("typed")
    page.get_by_role("link", name="Repositories", exact=True).first.click()
    expect(field).to_have_value("")
    page.go_back()
    expect(field).to_have_value("typed")
    page.get_by_role("link", name="typed/app", exact=True).wait_for()


@pytest.mark.parametrize("typed", ["", "ecr"], ids=["empty", "half"])
def test_who_can_answers_for_actions_alone(browser, root, typed):
    """Neither the answers to another action stand beside what is not one, nor that nobody is allowed."""
    page = browser.page().sign_in(root, FILTERS["who-can"][0])
    answers = page.get_by_role("table", name="Principals that are allowed")
    expect(answers.get_by_role("row", name="root")).to_be_visible()
    page.get_by_role("combobox", name="Action", exact=True).click()
    page.press("Control+a")
    page.press("Backspace")
    page.keyboard.type(typed)
    expect(answers.get_by_text("Enter an action, such as ecr:PutImage.")).to_be_visible()
    expect(answers.get_by_role("row", name="root")).to_have_count(0)
    page.keyboard.type("ecr:PutImage" if typed == "" else ":PutImage")
    expect(answers.get_by_role("row", name="root")).to_be_visible()


def parameters(url):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
