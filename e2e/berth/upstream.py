"""A registry that a story plays: it answers what it was given, counts what it is asked, and fails as it is told to."""

import base64
import contextlib
import ctypes
import http.server
import json
import os
import ssl
import subprocess
import threading
import urllib.parse

from . import images

INDEX = images.OCI_INDEX
USER, PASSWORD = "robot", "a-token-of-the-upstream"
_CHUNK = 16 * 1024
_CLONE_NEWNET = 0x40000000


class Upstream:
    """`with Upstream() as upstream:` serves it; `namespace` puts its socket into a network namespace."""

    def __init__(self, address=("127.0.0.1", 0), namespace=None, tls=None):
        self.manifests, self.blobs, self.referrers = {}, {}, {}
        self.asked = []
        self.status = self.headers = None
        self.lies = set()  # digests whose bytes are others
        self.gate = None  # an event that layers wait for after their first half
        self.sent = 0  # bytes of blobs
        self.tokens = None  # a `Tokens`, where the registry wants them
        self._address, self._namespace, self._tls = address, namespace, tls

    def add(self, image, *tags):
        self.put(image.manifest, image.media_type, *tags)
        self.blobs |= {images.digest(blob): blob for blob in image.blobs}
        return image

    def put(self, manifest, media_type, *tags):
        for reference in (*tags, images.digest(manifest)):
            self.manifests[reference] = (manifest, media_type)
        return images.digest(manifest)

    def manifests_asked(self):
        return [path for path in self.asked if "/manifests/" in path]

    def __enter__(self):
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if upstream.tokens and upstream.tokens.gives(self, path, urllib.parse.parse_qs(query)):
                    return
                upstream.asked.append(path)
                if upstream.status:
                    return self.answer(upstream.status, b"{}", **(upstream.headers or {}))
                if upstream.tokens and not upstream.tokens.admits(self):
                    return
                upstream.serve(self, path)

            do_HEAD = do_GET

            def answer(self, status, body, kind="application/json", **headers):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.close_connection = True
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # A client that goes away is a part of the story.

        def listen():
            if self._namespace:
                with open(f"/run/netns/{self._namespace}", "rb") as there:
                    libc = ctypes.CDLL(None, use_errno=True)
                    assert libc.setns(there.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            self._server = Quiet(self._address, Handler)

        # A thread of its own: the namespace is the thread's.
        thread = threading.Thread(target=listen)
        thread.start()
        thread.join()
        scheme = "http"
        if self._tls:
            scheme = "https"
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = f"{self._address[0]}:{self._server.server_port}"
        self.url = f"{scheme}://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        if self.gate:
            self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def serve(self, handler, path):
        if path == "/v2/":
            return handler.answer(200, b"{}")
        kind, name = path.split("/")[-2:]
        if kind == "manifests" and name in self.manifests:
            manifest, media_type = self.manifests[name]
            return handler.answer(200, manifest, media_type, Docker_Content_Digest=images.digest(manifest))
        if kind == "referrers" and self.referrers is not None:
            body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.referrers.get(name, [])})
            return handler.answer(200, body.encode(), INDEX)
        if kind == "blobs" and name in self.blobs:
            return self.send(handler, name)
        return handler.answer(404, b"{}")

    def send(self, handler, digest):
        blob = self.blobs[digest]
        if digest in self.lies:
            blob = bytes(len(blob))
        handler.send_response(200)
        handler.send_header("Content-Type", "application/octet-stream")
        handler.send_header("Content-Length", str(len(blob)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        if handler.command != "GET":
            return
        for at in range(0, len(blob), _CHUNK):
            if self.gate and at >= len(blob) // 2:
                self.gate.wait()
            handler.wfile.write(blob[at:at + _CHUNK])
            self.sent += len(blob[at:at + _CHUNK])


class Tokens:
    """A token service in the shape of one of the large registries'."""

    def __init__(self, path, service, answer, refusal=401):
        self.path, self.service, self.answer, self.refusal = path, service, answer, refusal
        self.given = []

    def gives(self, handler, path, query):
        if path != self.path:
            return False
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if handler.headers.get("Authorization") != basic:
            handler.answer(self.refusal, b'{"errors":[{"code":"DENIED","message":"incorrect username or password"}]}')
        else:
            assert query["service"] == [self.service], query
            token = f"token-{len(self.given)}"
            self.given.append((token, query.get("scope", [])))
            handler.answer(200, json.dumps({name: token if value is None else value for name, value in self.answer.items()}).encode())
        return True

    def admits(self, handler):
        if handler.headers.get("Authorization") in {f"Bearer {token}" for token, _ in self.given}:
            return True
        host = handler.headers["Host"]
        challenge = f'Bearer realm="http://{host}{self.path}",service="{self.service}",scope="repository:any:pull"'
        handler.answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', WWW_Authenticate=challenge)
        return False


class Link:
    """A network namespace at the end of a link that can be cut and made slow."""

    def __init__(self, name, subnet):
        self.namespace, self.here, self.there = name, f"{name}h"[:15], f"{name}n"[:15]
        self.near, self.far = f"{subnet}.1", f"{subnet}.2"

    def __enter__(self):
        self._undo()
        self._ip("netns", "add", self.namespace)
        self._ip("link", "add", self.here, "type", "veth", "peer", "name", self.there, "netns", self.namespace)
        self._ip("addr", "add", f"{self.near}/30", "dev", self.here)
        self._ip("link", "set", self.here, "up")
        self._ip("-n", self.namespace, "addr", "add", f"{self.far}/30", "dev", self.there)
        self._ip("-n", self.namespace, "link", "set", self.there, "up")
        return self

    def __exit__(self, *_):
        self._undo()

    def cut(self):
        self._ip("link", "set", self.here, "down")

    def mend(self):
        self._ip("link", "set", self.here, "up")

    def slow(self, rate):
        """Limits what comes from there, such as `1mbit`."""
        subprocess.run(["ip", "netns", "exec", self.namespace, "tc", "qdisc", "add", "dev", self.there, "root",
                        "tbf", "rate", rate, "burst", "16kb", "latency", "400ms"], check=True)

    def _undo(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self._ip("netns", "del", self.namespace, capture_output=True)

    @staticmethod
    def _ip(*arguments, **more):
        subprocess.run(["ip", *arguments], check=True, **more)


def server_context(issuer, client_ca=None):
    """TLS with the certificate of an `Issuer`'s directory; with `client_ca`, clients must present one of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issuer.home / "chain.crt", issuer.home / "server.key")
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
