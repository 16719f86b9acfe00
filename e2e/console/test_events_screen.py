"""Targets of events in the console: made, tested, deleted, and deliveries that failed."""

import http.server
import json
import threading

import pytest

from berth.images import Image
from berth.server import Server
from berth.service import berth_command
from berth.waiting import until


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    """A server that may call this machine."""
    with Server(tmp_path_factory.mktemp("events-screen"), "--outbound-allow", "127.0.0.1/32") as server:
        yield server


class Receiver:
    """What a receiver answers, and what it got."""

    def __init__(self):
        self.status, self.got, self.url = 204, [], None


@pytest.fixture
def hook():
    """A receiver, which accepts everything at first."""
    known = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            known.got.append((known.status, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(known.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield known
    server.shutdown()


@pytest.fixture
def page(browser, root):
    page = browser.page().sign_in(root)
    yield page
    page.check()


def targets(root):
    shown = berth_command(root, "events", "target", "list", "--output", "json").ok().out
    return [json.loads(line) for line in shown.splitlines()]


def test_a_target_is_made_tested_and_deleted(page, root, hook):
    page.open("/events")
    page.get_by_text("There are no targets").wait_for()
    page.get_by_role("button", name="Add target").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ci")
    dialog.get_by_label("URL").fill(hook.url)
    dialog.get_by_label("Event pattern").fill("{")
    dialog.get_by_text("This is not a JSON document").wait_for()
    dialog.get_by_label("Event pattern").fill('{"detail": {"action-type": ["PUSH"]}}')
    dialog.get_by_role("button", name="Add target").click()
    dialog.get_by_text("It cannot be read again").wait_for()
    page.axe()
    dialog.get_by_role("button", name="I have noted it").click()
    [target] = targets(root)
    assert json.loads(target["eventPattern"]) == {"detail": {"action-type": ["PUSH"]}}

    page.get_by_role("button", name="Test ci").click()
    page.get_by_text("The target answered 204").wait_for()
    page.axe()
    page.get_by_role("button", name="Delete ci").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete target").click()
    page.get_by_text("There are no targets").wait_for()
    assert targets(root) == []


def failed(root):
    """Tags of the events that failed."""
    shown = berth_command(root, "events", "failed", "audit", "--output", "json").ok()
    return [json.loads(line)["event"]["detail"]["image-tag"] for line in shown.out.splitlines()]


def test_failed_deliveries_are_sent_again_or_removed_once_the_target_is_edited(page, root, hook):
    berth_command(root, "events", "target", "put", "audit", hook.url).ok()
    root.create_repository("noted")

    def push_and_fail(tag):
        # "Gone": the target is stopped, and its events are failed ones.
        hook.status = 410
        root.raw().push("noted", tag, Image())
        until(lambda: failed(root) == [tag])
        page.open("/events")
        page.get_by_role("table", name="Failed deliveries").get_by_text("410").first.wait_for()

    def enable(rotates):
        page.get_by_role("button", name="Edit audit").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("checkbox", name="Send events").check()
        if rotates:
            dialog.get_by_role("checkbox", name="Make a new secret").check()
            page.axe()
        dialog.get_by_role("button", name="Save").click()
        if rotates:
            dialog.get_by_text("It cannot be read again").wait_for()
            dialog.get_by_role("button", name="I have noted it").click()
        until(lambda: targets(root)[0]["state"] == "ENABLED")

    push_and_fail("one")
    page.axe()
    enable(rotates=True)
    hook.status = 204
    page.get_by_role("button", name="Retry delivery").first.click()
    page.get_by_text("The event is back in the queue.").first.wait_for()
    until(lambda: [event["detail"]["image-tag"] for status, event in hook.got if status == 204] == ["one"])
    assert failed(root) == []

    push_and_fail("two")
    page.get_by_role("button", name="Remove delivery").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("The event is not sent any more.").wait_for()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_text("The delivery is removed.").first.wait_for()
    assert failed(root) == []
