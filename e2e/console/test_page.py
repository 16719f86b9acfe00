"""The console's page as the server sends it: what a browser loads, what it may do, and what it is told to keep."""

import gzip
import http.client
import re

import pytest

from berth.browser import NARROW, WIDE, Browser

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


def ask(berth, path, method="GET", **headers):
    """One request, without what an HTTP library adds or follows."""
    connection = http.client.HTTPConnection(berth.registry, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def script(berth):
    """The path of the page's main script. The small one before it asks who is signed in."""
    _, body = ask(berth, "/console/")
    return re.search(rb'src="(/console/assets/index-[^"]+\.js)"', body).group(1).decode()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_the_sign_in_page_is_accessible(browser, size, dark):
    page = browser.page(size, dark, expect_refusals=True).open("/repositories?filter=x")
    assert page.heading().inner_text() == "Sign in to Berth"
    assert page.raw.url.endswith("/console/repositories?filter=x"), "signing in must lead to the same address"
    page.axe()
    page.check()


def test_headers_allow_the_page_nothing_but_this_server(berth):
    for path in ("/console/", "/console/repositories/a/b", script(berth), "/console/assets/gone.js", "/console"):
        response, _ = ask(berth, path, accept_encoding="gzip")
        assert response.getheader("content-security-policy") == POLICY, path
        assert response.getheader("x-content-type-options") == "nosniff"
        assert response.getheader("x-frame-options") == "DENY"
        assert response.getheader("referrer-policy") == "no-referrer"
        assert response.getheader("cross-origin-opener-policy") == "same-origin"
        assert response.getheader("set-cookie") is None


def test_hashed_files_are_kept_and_the_page_is_asked_for_again(berth):
    page, body = ask(berth, "/console/")
    assert (page.status, page.getheader("cache-control")) == (200, "no-cache")
    assert page.getheader("content-encoding") is None and body.startswith(b"<!doctype html>")
    again, nothing = ask(berth, "/console/", if_none_match=page.getheader("etag"))
    assert (again.status, nothing) == (304, b"")

    packed, body = ask(berth, script(berth), accept_encoding="gzip")
    assert packed.getheader("cache-control") == "public, max-age=31536000, immutable"
    assert packed.getheader("content-type") == "text/javascript; charset=utf-8"
    assert (packed.getheader("content-encoding"), packed.getheader("vary")) == ("gzip", "accept-encoding")
    assert len(gzip.decompress(body)) > len(body)
    brotli, smaller = ask(berth, script(berth), accept_encoding="gzip, br")
    assert brotli.getheader("content-encoding") == "br" and len(smaller) < len(body)
    assert brotli.getheader("etag") != packed.getheader("etag"), "two forms, two tags"


def test_head_answers_without_a_body(berth):
    got, body = ask(berth, "/console/")
    head, nothing = ask(berth, "/console/", method="HEAD")
    assert (head.status, nothing) == (200, b"")
    assert int(head.getheader("content-length")) == len(body) == int(got.getheader("content-length"))
    assert head.getheader("etag") == got.getheader("etag")


def test_paths_lead_to_the_page_or_nowhere(berth):
    moved, _ = ask(berth, "/console")
    assert (moved.status, moved.getheader("location")) == (308, "/console/")
    page, _ = ask(berth, "/console/users/alice")
    assert page.getheader("content-type") == "text/html; charset=utf-8"
    # A page in place of a missing script would be run as a script.
    gone, _ = ask(berth, "/console/assets/index-00000000.js")
    assert gone.status == 404
    outside, _ = ask(berth, "/console/../healthz")
    assert (outside.status, outside.getheader("content-type")) == (404, None), "no path leaves the archive"
    written, _ = ask(berth, "/console/index.html", method="PUT")
    assert (written.status, written.getheader("allow")) == (405, "GET, HEAD")
