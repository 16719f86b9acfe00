"""Targets of events in the console: made, tested, deleted, and deliveries that failed."""

import http.server
import json
import threading

import pytest

from berth.server import Server
from berth.service import berth_command


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    """A server that may call this machine."""
    with Server(tmp_path_factory.mktemp("events-screen"), "--outbound-allow", "127.0.0.1/32") as server:
        yield server


@pytest.fixture
def receiver():
    """The URL of a receiver that accepts everything."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()


@pytest.fixture
def page(browser, root):
    page = browser.page().sign_in(root)
    yield page
    page.check()


def targets(root):
    shown = berth_command(root, "events", "target", "list", "--output", "json").ok().out
    return [json.loads(line) for line in shown.splitlines()]


def test_a_target_is_made_tested_and_deleted(page, root, receiver):
    page.open("/events")
    page.get_by_text("There are no targets").wait_for()
    page.get_by_role("button", name="Add target").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ci")
    dialog.get_by_label("URL").fill(receiver)
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
