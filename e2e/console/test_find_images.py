"""Search in the top bar: images by tag, digest and label, for who may read them."""

import pytest

from berth import images
from berth.browser import Browser
from berth.policies import allow, policy, push_and_pull


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module")
def digest(root, tmp_path_factory):
    root.create_repository("team/found")
    alice = root.create_user("alice", policy(*push_and_pull("team/found")))
    alice.docker.login()
    context = images.context(tmp_path_factory.mktemp("build") / "image", "found")
    alice.docker("build", "--quiet", "--label", "squad=blue-whale", "--tag", alice.image("team/found:summer-7"), context).ok()
    alice.docker.push("team/found:summer-7").ok()
    described = root.ecr.describe_images(repositoryName="team/found", imageIds=[{"imageTag": "summer-7"}])
    return described["imageDetails"][0]["imageDigest"]


def search(page, text):
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Search")
    box.fill(text)
    return page.get_by_role("option").filter(has_text="team/found:summer-7")


def test_an_image_is_found_by_tag_digest_and_label(browser, root, digest):
    page = browser.page().sign_in(root)
    page.heading("Home").wait_for()
    for text in ("summer", digest[7:21], "whale"):
        search(page, text).first.wait_for()
    search(page, "summer").first.click()
    page.get_by_role("heading", name="Layers").wait_for()
    assert digest in page.url.replace("%3A", ":")
    page.check()


def test_who_may_not_read_an_image_is_not_offered_it(browser, root, digest):
    reader = root.create_user("reader", policy(allow(["berth:SearchImages", "ecr:DescribeRepositories"], "*")))
    page = browser.page(expect_refusals=True).sign_in(reader)
    option = search(page, "summer")
    page.get_by_text("Nothing was found").or_(page.get_by_text("Repositories with summer in their name")).first.wait_for()
    assert option.count() == 0
