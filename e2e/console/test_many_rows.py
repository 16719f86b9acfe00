"""Lists of 100,000 repositories and of 100,000 images: one page is asked for, shown and kept, whichever it is."""

import json
import sqlite3

import pytest
from playwright.sync_api import Error

from berth.showcase import image

ROWS = 100_000
#: What a page of the list shows, and the next page that is loaded before it is asked for.
REPOSITORIES_SHOWN, IMAGES_SHOWN = 50, 100
PAGES = 12
#: Pages come and go; what stays is the page's own growth.
HEAP_GROWTH_MAX = 24 * 1024 * 1024


def copy_rows(database, table, where, changes):
    """Copies a row, with `changes` by the number `n`, which is quicker than 100,000 calls."""
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    values = ", ".join(changes.get(name, name) for name in names)
    database.execute(
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}) "
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}, numbers WHERE {where}")


@pytest.fixture(scope="module")
def many(berth, root):
    """The rows, written while the server is stopped."""
    root.create_repository("many/r")
    root.create_repository("one/app")
    image(root.ecr, "one/app", "amd64", "first")
    berth.stop()
    [file] = berth.data.glob("*.db")
    with sqlite3.connect(file) as database:
        copy_rows(database, "repositories", "name = 'many/r'", {"name": "printf('many/r%06d', n)"})
        copy_rows(database, "images", "repository_id = (SELECT id FROM repositories WHERE name = 'one/app')",
                  {"digest": "printf('sha256:%012x%052x', n * 7919, n)"})
        database.execute(f"UPDATE repositories SET image_count = {ROWS + 1} WHERE name = 'one/app'")
    database.close()
    berth.start()


@pytest.fixture
def page(browser, root, many):
    page = browser.page()
    page.answers = []
    page.on("response", lambda response: page.answers.append(response))
    page.sign_in(root)
    yield page
    page.check()


def heap(page):
    """The bytes that the page's scripts keep, after a collection."""
    session = page.context.new_cdp_session(page.raw)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    found = session.send("Performance.getMetrics")
    used = {metric["name"]: metric["value"] for metric in found["metrics"]}["JSHeapUsedSize"]
    session.detach()
    return used


def listed(page, operation, member):
    """How many rows each answer of the operation had."""
    counts = []
    for answer in page.answers:
        if not answer.request.headers.get("x-amz-target", "").endswith(f".{operation}"):
            continue
        try:
            counts.append(len(json.loads(answer.body()).get(member, [])))
        except Error:
            continue  # of the page before, whose answers the browser has forgotten
    return counts


def walk(page, shown, operation, member):
    """Goes through pages of the list: each is another one, none is larger, and none stays."""
    rows = page.get_by_role("row").get_by_role("link")
    rows.first.wait_for()
    first = rows.all_inner_texts()
    assert 0 < len(first) <= shown
    before, seen = heap(page), set(first)
    for _ in range(PAGES):
        last = rows.first.inner_text()
        page.get_by_role("button", name="Next page").first.click()
        page.get_by_role("link", name=last, exact=True).wait_for(state="detached")
        texts = rows.all_inner_texts()
        assert 0 < len(texts) <= shown and not seen & set(texts)
        seen |= set(texts)
    assert heap(page) - before < HEAP_GROWTH_MAX, "pages that are gone are forgotten"
    counts = listed(page, operation, member)
    assert max(counts) <= shown, "no call asks for more than a page"
    assert len(counts) <= PAGES + 3, "each page is asked for once, and one ahead"


def test_a_hundred_thousand_repositories(page):
    page.open("/repositories")
    page.answers.clear()
    walk(page, REPOSITORIES_SHOWN, "DescribeRepositories", "repositories")
    page.open("/repositories")
    page.get_by_label("Find by name").fill("r0099")
    page.get_by_role("link", name="many/r009900", exact=True).wait_for()
    # A search reads so many names and no more, and says so.
    page.answers.clear()
    page.get_by_label("Find by name").fill("r01999")
    page.get_by_text("No repository matches").wait_for()
    page.get_by_role("status").filter(has_text="10,000 repositories were searched").wait_for()
    assert sum(listed(page, "DescribeRepositories", "repositories")) <= 10_000
    page.get_by_role("button", name="Search on").click()
    page.get_by_role("link", name="many/r019990", exact=True).wait_for()
    assert page.get_by_role("row").count() <= REPOSITORIES_SHOWN + 1


def test_a_hundred_thousand_images(page):
    page.open("/repositories/one/app")
    page.answers.clear()
    walk(page, IMAGES_SHOWN, "DescribeImages", "imageDetails")
