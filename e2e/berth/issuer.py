"""An OpenID Connect issuer on loopback over TLS, with the token shapes of CI systems and Kubernetes.

One server has several issuers, each below a path of its own, with one key set.
"""

import base64
import http.server
import json
import pathlib
import secrets
import ssl
import subprocess
import threading
import time
import urllib.parse

import rsa


def _encode(data):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _number(value):
    return _encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """An RSA key with its id."""

    def __init__(self):
        made = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True, capture_output=True)
        self.private = rsa.PrivateKey.load_pkcs1(made.stdout)
        self.id = secrets.token_hex(8)

    @property
    def public(self):
        return {"kty": "RSA", "kid": self.id, "use": "sig", "alg": "RS256",
                "n": _number(self.private.n), "e": _number(self.private.e)}

    def sign(self, claims, **header):
        parts = f"{_encode({'alg': 'RS256', 'typ': 'JWT', 'kid': self.id} | header)}.{_encode(claims)}"
        return f"{parts}.{_encode(rsa.sign(parts.encode(), self.private, 'SHA-256'))}"


class Issuer:
    """`with Issuer(directory) as issuer:` serves the issuers `issuer.url(name)`, until it ends."""

    def __init__(self, directory, address=("127.0.0.1", 0)):
        self.address = address
        self.home = pathlib.Path(directory)
        self.home.mkdir(parents=True, exist_ok=True)
        self.key = Key()
        self.published = [self.key]
        #: What every request must bring, where the issuer is closed.
        self.bearer = None
        #: Paths that were asked for.
        self.asked = []
        #: Tokens that jobs fetch at `token_url(name)`, by what they bring: a function of the audience.
        self.granted = {}
        #: Hosts that were asked for, and with what token.
        self.shown = []
        #: The host that the discovery documents name for the keys, where it is another one.
        self.keys_host = None
        self._certificate()

    @property
    def trusted(self):
        """The options of a server that calls the issuers: their authority, and their address."""
        return ("--outbound-ca", str(self.ca), "--outbound-allow", "127.0.0.0/8")

    def _certificate(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.home)

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", 2, "-subj", "/CN=Issuer's authority")
        openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=issuer")
        (self.home / "extensions").write_text(f"subjectAltName=IP:{self.address[0]},DNS:localhost\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2,
                "-extfile", "extensions", "-out", "server.crt")
        # The server presents its authority as well, whose digest is the provider's thumbprint.
        chain = (self.home / "server.crt").read_text() + (self.home / "ca.crt").read_text()
        (self.home / "chain.crt").write_text(chain)

    @property
    def ca(self):
        return self.home / "ca.crt"

    @property
    def thumbprint(self):
        """The SHA-1 digest of the authority's certificate."""
        shown = subprocess.run(["openssl", "x509", "-in", str(self.ca), "-noout", "-fingerprint", "-sha1"],
                               check=True, capture_output=True, text=True).stdout
        return shown.strip().rpartition("=")[2].replace(":", "").lower()

    def __enter__(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                if not issuer.web(self):
                    self.send_error(404)

            def do_GET(self):
                if issuer.web(self):
                    return
                issuer.asked.append(self.path)
                issuer.shown.append((self.headers.get("Host"), self.headers.get("Authorization")))
                name, _, document = self.path.strip("/").partition("/")
                answer = None
                if document.startswith("token?"):
                    answer = issuer.grant(self.headers.get("Authorization"), document)
                elif issuer.bearer is None or self.headers.get("Authorization") == f"Bearer {issuer.bearer}":
                    answer = issuer.document(name, document)
                body = json.dumps(answer).encode()
                self.send_response(200 if answer is not None else 401)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.home / "chain.crt", self.home / "server.key")
        self._server = http.server.ThreadingHTTPServer(self.address, Handler)
        self._server.daemon_threads = True
        # The handshake belongs to a request's thread: one that fails must not stop the accepting one.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        port = self._server.server_port
        self.host = self.address[0] if port == 443 else f"{self.address[0]}:{port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def web(self, request):
        """Answers a request of a person's browser, where it is one."""
        return False

    def name(self, name):
        """The name of a provider: the issuer's URL without the scheme."""
        return f"{self.host}/{name}"

    def url(self, name):
        return f"https://{self.name(name)}"

    def document(self, name, path):
        if path == ".well-known/openid-configuration":
            return {"issuer": self.url(name), "jwks_uri": f"https://{self.keys_host or self.host}/{name}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"]}
        if path == "keys":
            return {"keys": [key.public for key in self.published]}
        return None

    def token_url(self, name):
        """Where a job of GitHub Actions asks for its token: `&audience=…` is added to it."""
        return f"{self.url(name)}/token?api-version=2.0"

    def grant(self, authorization, document):
        audience = urllib.parse.parse_qs(document.partition("?")[2])["audience"][0]
        grant = self.granted.get(authorization)
        return grant and {"value": grant(audience)}

    def token(self, name, key=None, **claims):
        now = int(time.time())
        standard = {"iss": self.url(name), "aud": "sts.amazonaws.com", "iat": now, "nbf": now - 5, "exp": now + 300,
                    "jti": secrets.token_hex(8)}
        return (key or self.key).sign(standard | claims)


#: The claims of a token, by issuer, as the issuers' documentation shows them.
SHAPES = {
    # docs.github.com, "OpenID Connect reference", "OIDC token claims".
    "github": {
        "sub": "repo:octo-org/app:ref:refs/heads/main", "ref": "refs/heads/main", "sha": "a" * 40,
        "repository": "octo-org/app", "repository_owner": "octo-org", "repository_id": "74",
        "repository_owner_id": "65", "run_id": "30433642", "actor": "octocat", "actor_id": "12",
        "workflow": "push", "job_workflow_ref": "octo-org/app/.github/workflows/push.yml@refs/heads/main",
        "event_name": "push", "ref_type": "branch", "runner_environment": "github-hosted",
    },
    # docs.gitlab.com, "ID token authentication", "Token payload".
    "gitlab": {
        "sub": "project_path:mygroup/app:ref_type:branch:ref:main", "namespace_id": "72", "namespace_path": "mygroup",
        "project_id": "20", "project_path": "mygroup/app", "user_id": "1", "user_login": "sample-user",
        "user_email": "sample-user@example.com", "pipeline_id": "574", "job_id": "302", "ref": "main",
        "ref_type": "branch", "ref_protected": "true", "pipeline_source": "push",
    },
    # circleci.com/docs, "Using OpenID Connect tokens in jobs", "Format of the OpenID Connect ID token".
    "circleci": {
        "aud": "8f5a6a9e-organization", "sub": "org/8f5a6a9e-organization/project/p-1/user/u-1",
        "oidc.circleci.com/project-id": "p-1", "oidc.circleci.com/context-ids": ["c-1"],
        "oidc.circleci.com/vcs-ref": "refs/heads/main",
    },
    # buildkite.com/docs, "OIDC with Buildkite", "Claims".
    "buildkite": {
        "sub": "organization:acme:pipeline:app:ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:build",
        "organization_slug": "acme", "pipeline_slug": "app", "build_number": 1, "build_branch": "main",
        "build_commit": "9f3182061f1e2cca4702c368cbc039b7dc9d4485", "step_key": "build", "job_id": "0184990a",
        "agent_id": "0184990a-477b",
    },
    # plugins.jenkins.io, "OpenID Connect Provider": the subject is the job's URL.
    "jenkins": {"sub": "https://jenkins.example.com/job/app/", "build_number": 7},
    # kubernetes.io, "Configure Service Accounts for Pods", projected tokens.
    "kubernetes": {
        "aud": ["sts.amazonaws.com"], "sub": "system:serviceaccount:builds:pusher",
        "kubernetes.io": {"namespace": "builds", "serviceaccount": {"name": "pusher", "uid": "u-1"},
                          "pod": {"name": "push-1", "uid": "u-2"}},
    },
}
