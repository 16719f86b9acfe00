"""What the stories of the console share: a browser for each file, and the two ways to work a page."""

import pytest

from berth.browser import Browser
from berth.hands import BOTH


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module", params=BOTH, ids=lambda way: way.name)
def hands(request, berth, browser, root):
    """The root user's page, signed in, worked by the mouse and then by the keyboard alone."""
    page = browser.page().sign_in(root)
    yield request.param(page, berth)
    page.check()
