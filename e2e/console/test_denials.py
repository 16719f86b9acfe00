"""Denials in the console: a push that was denied is explained, allowed by the change that is proposed, and then succeeds."""

import pytest

from berth.browser import Browser
from berth.people import failing
from berth.policies import LOGIN, allow, policy, push_and_pull


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module")
def denied(root):
    """A user who may push to one repository, and was denied at the other one."""
    root.create_repository("allowed/app")
    root.create_repository("denied/app")
    user = root.create_user("pia", policy(*push_and_pull("allowed/app")))
    failing(user.ecr.describe_images, "AccessDeniedException", repositoryName="denied/app")
    return user


def test_a_denied_push_is_explained_and_allowed_with_one_change(browser, root, denied):
    user, reference = denied, "denied/app:1"
    user.docker.login()
    user.docker.build(reference)
    user.docker.push(reference).failed("denied")
    page = browser.page(expect_refusals=True).sign_in(root, "/denials")
    page.heading("Denials").wait_for()
    link = page.get_by_role("link").filter(has_text="ecr:").first
    link.wait_for()
    until_allowed(page, lambda: user.docker.push(reference))
    until_allowed(page, lambda: user.docker.pull(reference))
    failing(user.ecr.delete_repository, "AccessDeniedException", repositoryName="denied/app")
    page.check()


def until_allowed(page, command):
    """Runs a command until it succeeds, and applies what is proposed after each denial: docker is denied at one of its
    actions after the other, and each is a cause of its own."""
    for _ in range(8):
        ran = command().seen()
        if ran.code == 0:
            break
        apply_the_newest(page)
    ran.ok()


def apply_the_newest(page):
    """Opens the cause that was denied last, and applies what is proposed."""
    page.open("/denials?since=hour")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    page.get_by_role("heading", name="The least change that would allow it").wait_for()
    page.get_by_text("stopped the request").wait_for()
    change = page.get_by_role("region", name="The change as lines that were added and removed")
    change.first.wait_for()
    assert "arn:aws:ecr:" in change.first.inner_text(), "the change names the repository"
    page.get_by_role("button", name="Apply", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Apply", exact=True).click()
    page.get_by_text("The policies allow the request now.").or_(page.get_by_text("was changed.")).first.wait_for()


def test_filters_stand_in_the_address(browser, root, denied):
    page = browser.page(expect_refusals=True).sign_in(root, "/denials?action=ecr%3ADescribeImages")
    page.get_by_role("row").filter(has_text="ecr:DescribeImages").first.wait_for()
    assert page.get_by_label("Action", exact=True).input_value() == "ecr:DescribeImages"
    page.get_by_label("Action", exact=True).fill("ecr:DeleteRepositoryPolicy")
    page.get_by_text("There is no denial with these filters.").wait_for()
    assert "ecr%3ADeleteRepositoryPolicy" in page.url
    page.check()


def test_a_request_that_was_not_denied_has_no_explanation(browser, root):
    page = browser.page(expect_refusals=True).sign_in(root, "/denials/11111111-2222-3333-4444-555555555555")
    page.get_by_text("RequestNotFoundException").first.wait_for()
    page.check()
