"""A company's identity provider on loopback over TLS: pages where people sign in, by OpenID Connect and by SAML 2.0.

It is what the console's sign-in sends browsers to. It asks its user to continue, and then answers as the protocols say:
the code flow with PKCE and a client secret, and the Web Browser SSO profile with a form that posts itself.
"""

import base64
import hashlib
import html
import json
import secrets
import urllib.parse
import zlib

from lxml import etree

from .issuer import Issuer
from .saml_idp import IdentityProvider

CLIENT, SECRET = "berth-console", "a secret: with signs"
NAME = "company"


class Company(Issuer):
    """`with Company(directory) as company:` serves `company.url(NAME)` and `company.saml`."""

    def __enter__(self):
        super().__enter__()
        #: Redirect URIs and assertion consumer services that are registered.
        self.registered = set()
        #: The claims of who signs in by OIDC, and the pairs of ARNs of the SAML roles; what goes wrong, where something does.
        self.claims, self.roles, self.fault = {}, [], None
        self.saml = IdentityProvider(f"{self.origin}/sso")
        self._codes = {}
        return self

    @property
    def origin(self):
        return f"https://{self.host}"

    def document(self, name, path):
        found = super().document(name, path)
        if found and "issuer" in found:
            found |= {"authorization_endpoint": f"{self.url(name)}/authorize", "token_endpoint": f"{self.url(name)}/redeem"}
        return found

    def web(self, request):
        path, _, query = request.path.partition("?")
        length = int(request.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(request.rfile.read(length).decode()) if length else {}
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(query).items()}
        form = {name: values[0] for name, values in form.items()}
        is_post = request.command == "POST"
        if path == f"/{NAME}/redeem" and is_post:
            self._redeem(request, form)
        elif path in (f"/{NAME}/authorize", "/sso") and not is_post:
            # The same address with the same query takes the answer.
            _page(request, "<h1>Company login</h1><form method='post'><button name='go' value='yes'>Continue</button> "
                           "<button name='go' value='no'>Refuse</button></form>")
        elif path == f"/{NAME}/authorize":
            self._authorized(request, asked, form)
        elif path == "/sso":
            self._asserted(request, asked)
        else:
            return False
        return True

    def _authorized(self, request, asked, form):
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT, asked
        assert asked["redirect_uri"] in self.registered, f"{asked['redirect_uri']} is not registered"
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        answer = {"state": asked["state"], "iss": self.url(NAME)}
        if form["go"] == "no":
            answer |= {"error": "access_denied", "error_description": "<b>no</b>"}
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self._codes[answer["code"]] = asked
        request.send_response(303)
        request.send_header("Location", f"{asked['redirect_uri']}?{urllib.parse.urlencode(answer)}")
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _redeem(self, request, form):
        asked = self._codes.pop(form.get("code"), None)
        pair = f"{urllib.parse.quote(CLIENT, safe='')}:{urllib.parse.quote(SECRET, safe='')}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if (asked and request.headers.get("Authorization") == basic and form["redirect_uri"] == asked["redirect_uri"]
                and challenge == asked["code_challenge"]):
            claims = {"aud": CLIENT, "nonce": asked["nonce"]} | self.claims
            status, answer = 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(NAME, **claims)}
        else:
            status, answer = 400, {"error": "invalid_grant"}
        body = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _asserted(self, request, asked):
        document = etree.fromstring(zlib.decompress(base64.b64decode(asked["SAMLRequest"]), -15))
        place = document.get("AssertionConsumerServiceURL")
        assert place in self.registered, f"{place} is not registered"
        response = self.saml.response(self.roles, endpoint=place, request=document.get("ID"))
        fields = {"SAMLResponse": base64.b64encode(response.encode()).decode(), "RelayState": asked["RelayState"]}
        inputs = "".join(f"<input type='hidden' name='{name}' value='{html.escape(value)}'>" for name, value in fields.items())
        _page(request, f"<h1>One moment</h1><form method='post' action='{html.escape(place)}'>{inputs}</form>"
                       "<script>document.forms[0].submit()</script>")


def _page(request, body):
    text = f"<!doctype html><html lang='en'><title>Company</title><link rel='icon' href='data:,'>{body}</html>".encode()
    request.send_response(200)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)
