"""The activity of a repository in the console: tag moves with a way back, pulls, and who pushed and pulled each image."""

import pytest

from berth import images
from berth.browser import NARROW, WIDE, Browser
from berth.policies import allow, policy, push_and_pull


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, root):
    """The root user's page, signed in."""
    return browser.page().sign_in(root)


@pytest.fixture(scope="module")
def digests(root, tmp_path_factory):
    """alice pushed two images under one tag with docker, and pulled the second; the digests in this order."""
    root.create_repository("team/app")
    alice = root.create_user("alice", policy(*push_and_pull("team/app"), allow("ecr:DescribeImages", "*")))
    alice.docker.login()
    pushed = []
    for message in ("good", "bad"):
        context = images.context(tmp_path_factory.mktemp("build") / "image", message)
        alice.docker("build", "--quiet", "--tag", alice.image("team/app:v1"), context).ok()
        alice.docker.push("team/app:v1").ok()
        described = root.ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
        pushed.append(described["imageDetails"][0]["imageDigest"])
    alice.docker("rmi", alice.image("team/app:v1")).ok()
    alice.docker.pull("team/app:v1").ok()
    return pushed


def test_a_bad_push_is_found_and_taken_back(page, root, digests):
    good, bad = digests
    page.open("/repositories/team/app?tab=activity")
    moves = page.get_by_role("table", name="Moves of the tags")
    moves.get_by_role("row").filter(has_text=bad[:19]).first.wait_for()
    assert "user/alice" in moves.inner_text()
    button = moves.get_by_role("button", name=f"Restore v1 to {good[:19]}")
    button.first.click()
    dialog = page.get_by_role("dialog")
    assert good in dialog.inner_text()
    dialog.get_by_role("button", name="Restore").click()
    page.get_by_text("Tag v1 was restored.", exact=True).wait_for()
    moves.get_by_role("row").filter(has_text="Restored").wait_for()
    described = root.ecr.describe_images(repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    assert described["imageDetails"][0]["imageDigest"] == good
    pulls = page.get_by_role("table", name="Pulls of the last 30 days")
    pulls.get_by_role("row").filter(has_text="user/alice").filter(has_text=bad[:19]).first.wait_for()
    page.check()


def test_the_list_of_images_names_who_pushed_and_pulled(page, digests):
    _, bad = digests
    page.open("/repositories/team/app?tab=images")
    row = page.get_by_role("row").filter(has_text=bad[:19])
    row.get_by_text("user/alice").first.wait_for()
    assert row.inner_text().count("user/alice") == 2, "pushed by and last pulled by"
    page.check()


def test_a_panel_that_may_not_be_seen_says_so_and_the_rest_works(browser, root, digests):
    viewer = root.create_user("viewer", policy(allow(["ecr:DescribeRepositories", "ecr:DescribeImages"], "*"),
                                               allow("berth:ListImagePulls", "*")))
    page = browser.page(expect_refusals=True).sign_in(viewer)
    page.open("/repositories/team/app?tab=activity")
    page.get_by_text("berth:ListTagHistory").first.wait_for()
    page.get_by_role("table", name="Pulls of the last 30 days").get_by_role("row").filter(has_text="alice").first.wait_for()


def test_usage_is_shown_as_numbers_charts_and_tables(page, root, digests):
    page.open("/usage")
    page.heading("Usage").wait_for()
    page.get_by_role("table", name="Usage by repository").get_by_role("link", name="team/app").wait_for()
    page.get_by_role("table", name="Usage by principal").get_by_role("row").filter(has_text="user/alice").wait_for()
    page.get_by_role("heading", name="Bytes transferred by day").wait_for()
    page.check()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_the_screens_are_accessible(browser, root, digests, size, dark):
    page = browser.page(size, dark).sign_in(root)
    for path in ("/repositories/team/app?tab=activity", "/usage"):
        page.open(path)
        page.wait_for_load_state("networkidle")
        page.axe()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px"
    page.check()
