"""Lists of 100,000 repositories and of 100,000 images: one page is asked for, shown and kept, whichever it is."""

import sqlite3

import pytest

from berth.showcase import image

ROWS = 100_000
#: What a page of the list shows; the next page is loaded before it is asked for.
REPOSITORIES_SHOWN, IMAGES_SHOWN = 50, 100
PAGES = 8
#: What an answer with a page has, at most.
PAGE_BYTES_MAX = 150_000
#: Pages come and go; what stays is the page's own growth.
HEAP_GROWTH_MAX = 24 * 1024 * 1024
#: What a search shows, and looks at, at most.
FOUND_MAX, SEARCHED_MAX, SEARCH_CALLS_MAX = 100, 10_000, 13
#: The bound only ends a story that fails.
TOLD_WITHIN_TENTHS = 300

#: Notes each AWS call that the page makes: `[operation, rows by member, bytes]`, or the operation alone until the answer
#: is there. Only the page itself sees every body: the browser forgets some before its debugger can ask for them.
NOTED = """
window.noted = [];
const ask = window.fetch;
window.fetch = async (...call) => {
  const headers = call[0] instanceof Request ? call[0].headers : new Headers(call[1]?.headers);
  const target = headers.get("x-amz-target");
  if (target === null) return ask(...call);
  const note = [target.split(".").at(-1)];
  window.noted.push(note);
  const given_up = () => { window.noted = window.noted.filter((other) => other !== note); };
  try {
    const answer = await ask(...call);
    answer.clone().text().then((text) => {
      const lists = Object.entries(JSON.parse(text)).filter(([, value]) => Array.isArray(value));
      note.push(Object.fromEntries(lists.map(([name, list]) => [name, list.length])), text.length);
    }).catch(given_up);
    return answer;
  } catch (error) {
    given_up();
    throw error;
  }
};
"""


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
    page.raw.add_init_script(NOTED)
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


def is_of(answer, operation):
    return answer.request.headers.get("x-amz-target", "").endswith(f".{operation}")


def forget(page):
    page.evaluate("window.noted.length = 0")


def listed(page, operation, member):
    """How many rows and bytes each answer of the operation had. The page may show an answer a moment before it is noted."""
    for _ in range(TOLD_WITHIN_TENTHS):
        notes = [note for note in page.evaluate("window.noted") if note[0] == operation]
        if notes and all(len(note) == 3 for note in notes):
            return [(rows.get(member, 0), size) for _, rows, size in notes]
        page.raw.wait_for_timeout(100)
    raise AssertionError(f"no answer of {operation} was seen")


def rows_of(page):
    return page.get_by_role("row").get_by_role("link")


def turn(page, name):
    """Goes to the next or the previous page, and answers its names."""
    before = rows_of(page).first.inner_text()
    page.get_by_role("button", name=name).first.click()
    page.get_by_role("link", name=before, exact=True).wait_for(state="detached")
    return rows_of(page).all_inner_texts()


def walk(page, shown, operation, member):
    """Goes through pages of the list: each is another one, none is larger, and none stays."""
    rows_of(page).first.wait_for()
    pages = [rows_of(page).all_inner_texts()]
    assert 0 < len(pages[0]) <= shown
    before, seen = heap(page), set(pages[0])
    elements = page.evaluate("document.querySelectorAll('*').length")
    for _ in range(PAGES):
        texts = turn(page, "Next page")
        assert 0 < len(texts) <= shown and not seen & set(texts)
        assert page.get_by_role("row").count() <= shown + 1
        seen |= set(texts)
        pages.append(texts)
    assert page.evaluate("document.querySelectorAll('*').length") < elements * 1.2, "earlier pages are not in the document"
    assert heap(page) - before < HEAP_GROWTH_MAX, "pages that are gone are forgotten"
    answers = listed(page, operation, member)
    assert max(rows for rows, _ in answers) <= shown, "no call asks for more than a page"
    assert max(size for _, size in answers) <= PAGE_BYTES_MAX
    assert len(answers) <= PAGES + 3, "each page is asked for once, and one ahead"
    assert turn(page, "Previous page") == pages[-2]
    assert turn(page, "Previous page") == pages[-3]


def search(page, text):
    """Searches for a part of the names, and says how many were looked at."""
    forget(page)
    # By its first answer, rows of the search before have gone.
    with page.expect_response(lambda answer: is_of(answer, "DescribeRepositories")):
        page.get_by_label("Find by name").fill(text)
    page.wait_for_url(f"**filter={text}*")
    status = page.get_by_role("status").filter(has_text="searched")
    status.wait_for()
    answers = listed(page, "DescribeRepositories", "repositories")
    assert sum(rows for rows, _ in answers) <= SEARCHED_MAX and len(answers) <= SEARCH_CALLS_MAX
    names = rows_of(page).all_inner_texts()
    assert len(names) <= FOUND_MAX and all(text in name for name in names)
    return status.inner_text(), names


def test_a_hundred_thousand_repositories(page):
    page.open("/repositories")
    forget(page)
    walk(page, REPOSITORIES_SHOWN, "DescribeRepositories", "repositories")


def test_search_in_a_hundred_thousand_repositories(page):
    page.open("/repositories")
    rows_of(page).first.wait_for()
    # What matches everywhere fills a page, and no more is read for it.
    said, names = search(page, "many")
    assert names[0] == "many/r" and "100 repositories" in said
    assert turn(page, "Next page")[0] not in names
    # What matches rarely is looked for in so many names and no more. The rows of the search before are gone.
    said, names = search(page, "r0099")
    assert "10,000 repositories" in said
    assert names and names[0] == "many/r009900"
    said, names = search(page, "r01999")
    assert "10,000 repositories" in said and not names
    page.get_by_text("No repository matches").wait_for()
    page.get_by_role("button", name="Search on").click()
    page.get_by_role("link", name="many/r019990", exact=True).wait_for()
    assert page.get_by_role("row").count() <= FOUND_MAX + 1


def test_a_hundred_thousand_images(page):
    page.open("/repositories/one/app")
    forget(page)
    walk(page, IMAGES_SHOWN, "DescribeImages", "imageDetails")
    answers = listed(page, "DescribeImages", "imageDetails")
    assert len(page.evaluate("window.noted")) <= 3 * len(answers), "a page of images needs no call for each image"
