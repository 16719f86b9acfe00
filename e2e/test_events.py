"""Events as signed webhooks: a receiver verifies what docker's and crane's work makes the registry tell."""

import http.server
import json
import pathlib
import queue
import re
import threading
import urllib.request

import pytest

from berth import images
from berth.policies import allow, policy, push_and_pull
from berth.server import Server
from berth.service import PROJECT, berth_command
from berth.waiting import until

HOW_TO = PROJECT / "docs/how-to/webhooks.md"
_WAIT_S_MAX = 30


def documented_verify():
    """The function of the how-to page, as it stands there."""
    code = re.search(r"```python\n(.*?)```", HOW_TO.read_text(), re.S).group(1)
    names = {}
    exec(code, names)  # noqa: S102: our own page
    return names["verify"]


class Receiver:
    """A webhook receiver on a free port of the loopback address."""

    def __init__(self):
        self.requests = queue.Queue()
        self.status, self.headers, self.body = 204, {}, b""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.put((self.path, dict(self.headers.items()), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(receiver.body)))
                self.end_headers()
                try:
                    self.wfile.write(receiver.body)
                except OSError:
                    pass  # the sender had enough

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, status, body=b"", **headers):
        self.status, self.body, self.headers = status, body, headers

    def next(self):
        _, headers, body = self.requests.get(timeout=_WAIT_S_MAX)
        return {name.lower(): value for name, value in headers.items()}, body

    def event(self, secret):
        """The next event, verified."""
        headers, body = self.next()
        assert documented_verify()(secret, headers, body), headers
        assert not documented_verify()(secret, headers, body + b" ")
        event = json.loads(body)
        assert headers["webhook-id"] == event["id"] and headers["content-type"] == "application/json"
        return event

    def is_silent(self, seconds=3):
        try:
            self.requests.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    """A server that may call this machine."""
    with Server(tmp_path_factory.mktemp("events"), "--outbound-allow", "127.0.0.1/32") as server:
        yield server


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


@pytest.fixture(scope="module")
def alice(root):
    root.create_repository("app")
    return root.create_user("alice", policy(*push_and_pull("app"), allow("ecr:BatchDeleteImage", "*")))


def berth_json(person, *arguments):
    return [json.loads(line) for line in berth_command(person, *arguments, "--output", "json").ok().out.splitlines()]


def put(root, name, receiver, *options):
    """A target and its secret."""
    target, = berth_json(root, "events", "target", "put", name, receiver.url, *options)
    return target["secret"]


def drop(root, name):
    berth_command(root, "events", "target", "delete", name).ok()


def described(root, name):
    return next(target for target in berth_json(root, "events", "target", "list") if target["targetName"] == name)


def test_pushes_tags_and_deletions_arrive_signed_and_in_order(berth, root, alice, receiver):
    secret = put(root, "all", receiver)
    writer = alice.raw()
    image = images.Image()
    writer.push("app", "v1", image).expect(201)
    event = receiver.event(secret)
    digest = event["detail"].pop("image-digest")
    assert digest.startswith("sha256:")
    assert event.pop("id") and event.pop("time").endswith("Z")
    assert event == {
        "version": "0", "detail-type": "ECR Image Action", "source": "aws.ecr", "account": berth.account,
        "region": berth.region, "resources": [],
        "detail": {"result": "SUCCESS", "repository-name": "app", "action-type": "PUSH", "image-tag": "v1"},
    }
    writer.push("app", "v2", image).expect(201)
    writer("DELETE", "/v2/app/manifests/v1").expect(202)
    writer("DELETE", f"/v2/app/manifests/{digest}").expect(202)
    details = [receiver.event(secret)["detail"] for _ in range(3)]
    assert [(d["action-type"], d["image-tag"]) for d in details] == [("PUSH", "v2"), ("DELETE", "v1"), ("DELETE", "v2")]
    drop(root, "all")


def test_a_pattern_chooses(root, alice, receiver):
    pattern = {"detail-type": ["ECR Image Action"], "detail": {"action-type": ["DELETE"]}}
    secret = put(root, "deletions", receiver, "--pattern", json.dumps(pattern))
    writer = alice.raw()
    writer.push("app", "gone", images.Image()).expect(201)
    writer("DELETE", "/v2/app/manifests/gone").expect(202)
    assert receiver.event(secret)["detail"]["action-type"] == "DELETE"
    assert receiver.is_silent()
    drop(root, "deletions")


def test_pulls_come_together_to_whoever_asks(root, alice, receiver):
    secret = put(root, "pulls", receiver, "--pattern", json.dumps({"detail-type": ["Berth Image Pull"]}))
    writer = alice.raw()
    writer.push("app", "pulled", images.Image()).expect(201)
    for _ in range(3):
        writer("GET", "/v2/app/manifests/pulled", headers={"Accept": "*/*"}).expect(200)
    counted = 0
    while counted < 3:
        event = receiver.event(secret)
        assert event["source"] == "berth.registry" and event["detail"]["principal-arn"] == alice.arn
        counted += event["detail"]["pull-count"]
    assert counted == 3
    drop(root, "pulls")


def test_a_receiver_that_is_down_gets_its_events_later(root, alice, receiver):
    secret = put(root, "later", receiver)
    receiver.answer(503)
    alice.raw().push("app", "late", images.Image()).expect(201)
    first, _ = receiver.next()
    until(lambda: described(root, "later")["failures"] > 0)
    receiver.answer(204)
    event = receiver.event(secret)
    assert event["id"] == first["webhook-id"], "the same event under the same id"
    until(lambda: described(root, "later")["waitingCount"] == 0)
    drop(root, "later")


def test_a_target_that_is_gone_is_disabled_and_its_events_can_be_tried_again(berth, root, alice, receiver):
    secret = put(root, "gone", receiver)
    receiver.answer(410)
    alice.raw().push("app", "dead", images.Image()).expect(201)
    lost, _ = receiver.next()
    until(lambda: described(root, "gone")["state"] == "DISABLED")
    failed, = berth_json(root, "events", "failed", "gone")
    assert failed["eventId"] == lost["webhook-id"] and "410" in failed["reason"]
    assert failed["event"]["detail"]["image-tag"] == "dead"
    until(lambda: "berth_events_given_up_total 1" in
          urllib.request.urlopen(f"http://{berth.registry}/metrics").read().decode())

    receiver.answer(200)
    put(root, "gone", receiver)
    assert berth_json(root, "events", "retry", "gone") == [{"retriedCount": 1}]
    assert receiver.event(secret)["id"] == lost["webhook-id"]
    assert berth_json(root, "events", "failed", "gone") == []
    drop(root, "gone")


def test_a_secret_is_changed_without_a_gap(root, receiver):
    old = put(root, "rotated", receiver)
    new = put(root, "rotated", receiver, "--rotate-secret")
    assert old != new
    berth_command(root, "events", "target", "test", "rotated").ok()
    headers, body = receiver.next()
    assert all(documented_verify()(secret, headers, body) for secret in (old, new))
    assert put(root, "rotated", receiver) is None, "a change without a new secret shows none"
    drop(root, "rotated")


def test_a_test_says_what_the_target_answers(root, receiver):
    put(root, "tested", receiver)
    receiver.answer(200, b"thank you")
    assert "thank you" in berth_command(root, "events", "target", "test", "tested").ok().out
    # Redirects are answers: nothing is called but the target.
    other = Receiver()
    receiver.answer(307, Location=other.url)
    berth_command(root, "events", "target", "test", "tested").failed("redirects are not followed")
    assert other.is_silent(1)
    # An endless answer is cut.
    receiver.answer(200, b"x" * (20 << 20))
    shown = berth_command(root, "events", "target", "test", "tested").ok().out
    assert len(shown) < 2_000
    other.server.shutdown()
    drop(root, "tested")


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "http://192.0.2.1/",
                                 "ftp://example.com/", "https://user@example.com/", "https://[::1]/"])
def test_addresses_inside_are_refused(root, url):
    berth_command(root, "events", "target", "put", "inside", url).failed("InvalidParameter")
    assert [t for t in berth_json(root, "events", "target", "list") if t["targetName"] == "inside"] == []


def test_names_that_lead_inside_are_refused_at_the_call(tmp_path):
    with Server(tmp_path / "strict") as strict:
        berth_command(strict.root, "events", "target", "put", "local", "https://localhost:1/").ok()
        berth_command(strict.root, "events", "target", "test", "local").failed("may not be called")


def test_targets_are_bounded_and_iam_decides(root, alice, receiver):
    berth_command(alice, "events", "target", "list").failed("AccessDenied")
    for number in range(10):
        put(root, f"t{number}", receiver)
    berth_command(root, "events", "target", "put", "t10", receiver.url).failed("LimitExceeded")
    one = root.create_user("one", policy(allow("berth:TestEventTarget",
                                               f"arn:aws:berth:us-east-1:{root.account}:event-target/t1")))
    berth_command(one, "events", "target", "test", "t1").ok()
    berth_command(one, "events", "target", "test", "t2").failed("AccessDenied")
    for number in range(10):
        drop(root, f"t{number}")


def test_secrets_are_in_no_log_and_in_no_file(berth, root, receiver):
    secret = put(root, "secret", receiver).removeprefix("whsec_")
    berth_command(root, "events", "target", "test", "secret").ok()
    receiver.next()
    files = [path for path in pathlib.Path(berth.directory).rglob("*") if path.is_file()]
    assert any("audit" in str(path) for path in files)
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    drop(root, "secret")


def test_events_survive_a_restart(berth, root, alice, receiver):
    secret = put(root, "restart", receiver)
    receiver.answer(503)
    alice.raw().push("app", "restarted", images.Image()).expect(201)
    receiver.next()
    # The turn is over, so that nobody has to wait for the end of its lease.
    until(lambda: described(root, "restart")["failures"] > 0)
    berth.kill()
    receiver.answer(204)
    berth.start()
    assert receiver.event(secret)["detail"]["image-tag"] == "restarted"
    drop(root, "restart")
