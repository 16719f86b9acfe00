"""HTTP without a client in between: what goes out is what the test wrote, and what comes back is all of it."""

import base64
import http.client
import json
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request

from . import images, sigv4

_TIMEOUT_S = 60
_SILENCE_S = 2


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return self.headers.get(name)

    @property
    def json(self):
        return json.loads(self.body)

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.status}, expected {statuses}:\n{self.headers}\n{self.body[:2000]!r}"
        return self

    def error(self, status, code, *words):
        """An error in the registry's own form (OCI Distribution Spec, "Error codes")."""
        self.expect(status)
        errors = self.json["errors"]
        assert [e["code"] for e in errors] == [code], errors
        for word in words:
            assert word in errors[0]["message"], errors
        return self

    @property
    def location(self):
        """Path and query of `Location`, which may be absolute or relative."""
        parts = urllib.parse.urlsplit(self["Location"])
        return parts.path + (f"?{parts.query}" if parts.query else "")


class Raw:
    def __init__(self, server, user=None, password=None, host=None):
        self.server, self.host = server, host or server.registry
        self.login = None
        if user is not None:
            self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def connect(self):
        host, _, port = self.server.registry.rpartition(":")
        if self.server.ca:
            context = ssl.create_default_context(cafile=self.server.ca)
            return http.client.HTTPSConnection(host, int(port), timeout=_TIMEOUT_S, context=context)
        return http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)

    def __call__(self, method, path, body=None, headers=None, login=True):
        """One request on a connection of its own. `path` goes out as it is; a header of None does not."""
        headers = headers or {}
        sent = {"Host": self.host}
        if login and self.login:
            sent["Authorization"] = self.login
        given = {name.lower() for name in headers}
        sent = {k: v for k, v in sent.items() if k.lower() not in given} | headers
        sent = {k: v for k, v in sent.items() if v is not None}
        connection = self.connect()
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if body is not None and "Transfer-Encoding" not in sent:
                sent.setdefault("Content-Length", str(len(body)))
            elif method in ("POST", "PUT", "PATCH"):
                sent.setdefault("Content-Length", "0")
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            try:
                if body:
                    connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the server has answered early; its answer says why
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def bytes(self, request):
        """Sends `request` as it stands, and answers all that comes back until the server closes or is silent."""
        host, _, port = self.server.registry.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=_SILENCE_S) as line:
            try:
                line.sendall(request)
            except OSError:
                pass
            back = b""
            try:
                while chunk := line.recv(65536):
                    back += chunk
            except OSError:
                pass
            return back

    # The registry's verbs, in the fewest requests.

    def start_upload(self, repository):
        return self("POST", f"/v2/{repository}/blobs/uploads/").expect(202).location

    def put_blob(self, repository, content, digest=None):
        place = with_query(self.start_upload(repository), digest=images.digest(content) if digest is None else digest)
        return self("PUT", place, content, {"Content-Type": "application/octet-stream"})

    def put_manifest(self, repository, reference, content, media_type=images.OCI_MANIFEST):
        return self("PUT", f"/v2/{repository}/manifests/{reference}", content, {"Content-Type": media_type})

    def push(self, repository, tag, image):
        for blob in image.blobs:
            self.put_blob(repository, blob).expect(201)
        return self.put_manifest(repository, tag, image.manifest, image.media_type)

    def pull(self, repository, image):
        """Every byte of the image comes back as it went in."""
        got = self("GET", f"/v2/{repository}/manifests/{image.digest}", headers={"Accept": "*/*"}).expect(200)
        assert got.body == image.manifest
        for blob in image.blobs:
            assert self("GET", f"/v2/{repository}/blobs/{images.digest(blob)}").expect(200).body == blob

    # The AWS APIs.

    def aws(self, person, service, body, target=None, now=None, headers=None, region=None):
        """A signed POST to `/`: JSON with an `X-Amz-Target`, or the Query protocol without one."""
        sent = {"Content-Type": "application/x-amz-json-1.1" if target else
                "application/x-www-form-urlencoded; charset=utf-8"}
        if target:
            sent["X-Amz-Target"] = target
        signed = sigv4.sign(person.credentials, self.host, body, service, region or self.server.region, now,
                            sent | (headers or {}))
        return self("POST", "/", body, signed, login=False)


def with_query(place, **more):
    joint = "&" if "?" in place else "?"
    return place + joint + urllib.parse.urlencode(more)


def fetch(url, method="GET", **headers):
    """Status, headers and body of one request, without any client's own rules."""
    request = urllib.request.Request(url, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()
