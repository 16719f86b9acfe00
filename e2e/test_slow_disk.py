"""A slow disk holds up who waits for it, and nobody else."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from berth import faults, images
from berth.server import Server

#: A page of the database: so little that no single statement shows that the disk is slow.
READ_MS = 5
#: Longer than it takes to go away.
LONG_READ_MS = 300
#: A sync.
SYNC_MS = 3_000
#: More than the pages that a connection keeps in memory.
MANIFESTS, MANIFEST_BYTES = 1_000, 4_000
#: Few, so that the disk bounds them and not the processor.
CLIENTS = 3
#: More than the syncs that run at once.
PUSHERS = 100
#: More than the connections to the database.
GIVEN_UP = 40


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "berth") as running:
        running.root.create_repository("app")
        yield running


class Client:
    """Requests on one connection."""

    def __init__(self, registry):
        self._registry, self._connection = registry, registry.connect()

    def get(self, path, content):
        headers = {"Authorization": self._registry.login, "Accept": "*/*"}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        assert (answer.status, answer.read()) == (200, content)


def gives_up(registry, method, path, body=b""):
    """Sends a request and goes away."""
    head = f"{method} {path} HTTP/1.1\r\nHost: {registry.host}\r\nAuthorization: {registry.login}\r\nAccept: */*\r\n" \
           f"Content-Type: {images.OCI_MANIFEST}\r\nContent-Length: {len(body)}\r\n\r\n"
    host, _, port = registry.host.rpartition(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(head.encode() + body)
        time.sleep(LONG_READ_MS / 2_000)


class Others:
    """A client who pulls a small layer again and again. `answered`: how often."""

    def __init__(self, registry, image):
        self.answered, self._ends = 0, threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._done = self._pool.submit(self._pull, Client(registry), image)

    def _pull(self, client, image):
        while not self._ends.is_set():
            client.get(f"/v2/app/blobs/{images.digest(image.layer)}", image.layer)
            self.answered += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._done.result()
        self._pool.shutdown()


def manifest(image, number):
    return json.dumps(json.loads(image.manifest) | {"annotations": {"n": f"{number}".zfill(MANIFEST_BYTES)}}).encode()


def with_a_cold_database(server):
    """A server that has many manifests and none of them in memory. Answers a client, an image whose layer it has in memory, and
    the manifests."""
    registry, image = server.root.raw(), images.Image()
    registry.push("app", "latest", image).expect(201)

    def push(number):
        content = manifest(image, number)
        registry.put_manifest("app", f"v{number}", content).expect(201)
        return content

    with ThreadPoolExecutor(CLIENTS) as pool:
        manifests = list(pool.map(push, range(MANIFESTS)))
    server.stop()
    server.start()
    registry.pull("app", image)
    return registry, image, manifests


def test_reads_of_the_database_hold_up_nobody_else(server):
    registry, image, manifests = with_a_cold_database(server)

    def pull(contents):
        client = Client(registry)
        for content in contents:
            client.get(f"/v2/app/manifests/{images.digest(content)}", content)

    with faults.slow(server.pid, faults.READS, READ_MS, server.data / "berth.db"), Others(registry, image) as others:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(pull, [manifests[client::CLIENTS] for client in range(CLIENTS)]))
        answered = others.answered
    # Half as many as the readers had where these held them up, and five times as many where they do not.
    assert answered > MANIFESTS


def test_syncs_hold_up_no_reads(server):
    registry, image = server.root.raw(), images.Image()
    registry.push("app", "latest", image).expect(201)
    layers = [images.Image(layer_bytes=10_000).layer for _ in range(PUSHERS)]
    with faults.slow(server.pid, faults.SYNCS, SYNC_MS):
        with ThreadPoolExecutor(PUSHERS) as pool, Others(registry, image) as others:
            answers = list(pool.map(lambda layer: registry.put_blob("app", layer), layers))
            answered = others.answered
    # Those that wait for one disk share its syncs: none of them waits in vain.
    for answer, layer in zip(answers, layers, strict=True):
        answer.expect(201)
        assert registry("GET", f"/v2/app/blobs/{images.digest(layer)}").expect(200).body == layer
    assert answered > 10 * PUSHERS


def test_who_goes_away_leaves_nothing_half_done(server):
    registry, image, contents = with_a_cold_database(server)
    new = [manifest(image, MANIFESTS + number) for number in range(GIVEN_UP)]
    reads = [("GET", f"/v2/app/manifests/{images.digest(content)}") for content in contents[:GIVEN_UP]]
    writes = [("PUT", f"/v2/app/manifests/new-{number}", content) for number, content in enumerate(new)]
    with faults.slow(server.pid, faults.READS, LONG_READ_MS, server.data / "berth.db"):
        with ThreadPoolExecutor(GIVEN_UP) as pool:
            list(pool.map(lambda request: gives_up(registry, *request), [*reads, *writes]))
    # Each connection to the database is of use again, and each push is there or is not.
    with ThreadPoolExecutor(GIVEN_UP) as pool:
        for answer, content in zip(pool.map(lambda request: registry(*request), reads), contents, strict=False):
            assert answer.expect(200).body == content
        for (_, path, content), found in zip(writes, pool.map(lambda request: registry("GET", request[1]), writes), strict=True):
            assert found.expect(200, 404).status == 404 or found.body == content
            registry.put_manifest("app", path.rpartition("/")[2], content).expect(201)
            assert registry("GET", path).expect(200).body == content
