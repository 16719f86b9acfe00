"""The browser that people use the console with: Debian's Chromium, driven by Playwright.

`with Browser(berth) as browser: page = browser.page()`. A page fails its story on an error in the browser's console, on
an exception in a script, and on a request to another origin. Stories find elements as a screen reader does: by role and
name. What changes after a key or a click is awaited with `expect`: the page draws it a moment later.
"""

import pathlib
import urllib.parse

from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
_AXE = pathlib.Path(__file__).parents[2] / "console/node_modules/axe-core/axe.min.js"
# What AWS answers where there is nothing: the console asks, and shows that.
_NOTHING = {"RegistryPolicyNotFoundException", "RepositoryPolicyNotFoundException", "LifecyclePolicyNotFoundException",
            "LifecyclePolicyPreviewNotFoundException"}
# The same for IAM, whose code stands in the answer's body: calls that ask whether a user has it.
_MAY_BE_MISSING = {"GetLoginProfile"}
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 740}
_WAIT_MS_MAX = 30_000
expect.set_options(timeout=_WAIT_MS_MAX)


class Browser:
    """A browser on one server's console, with a profile of its own."""

    def __init__(self, server):
        self.origin = server.url
        self._pages = []

    def __enter__(self):
        self._playwright = sync_playwright().start()
        # The stories run as root, for whom Chromium has no sandbox.
        self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        return self

    def __exit__(self, failure, *_):
        try:
            if not failure:
                for page in self._pages:
                    page.check()
        finally:
            self._browser.close()
            self._playwright.stop()

    def page(self, size=None, dark=False, expect_refusals=False, certificate_is_ours=False, visits=(), zone="UTC"):
        """A page of a new person: no cookies, nothing stored. With `expect_refusals`, answers of 400 and above, which
        the browser writes to its console, are part of the story. `visits` are other origins that it goes to."""
        context = self._browser.new_context(
            viewport=size or WIDE, color_scheme="dark" if dark else "light", locale="en-GB", timezone_id=zone,
            ignore_https_errors=certificate_is_ours,
            # Colours that fade in are no colours that a person reads.
            reduced_motion="reduce",
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.origin)
        context.set_default_timeout(_WAIT_MS_MAX)
        page = Page(context.new_page(), self.origin, expect_refusals, visits)
        self._pages.append(page)
        return page


class Page:
    """Playwright's page, with the checks that hold for every story. Unknown attributes are Playwright's."""

    def __init__(self, page, origin, expect_refusals, visits=()):
        self.raw, self.origin, self.expect_refusals = page, origin, expect_refusals
        self.visits = {origin, *visits}
        self.problems = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("dialog", lambda dialog: (self.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def __getattr__(self, name):
        return getattr(self.raw, name)

    def _on_console(self, message):
        if message.type not in ("error", "warning"):
            return
        # The browser's note of an answer's status; `_on_response` knows more of the answer.
        if message.text.startswith("Failed to load resource"):
            return
        self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_response(self, response):
        if response.status < 400 or self.expect_refusals:
            return
        code = response.headers.get("x-amzn-errortype", "").partition(":")[0]
        form = urllib.parse.parse_qs(response.request.post_data or "")
        target = response.request.headers.get("x-amz-target") or form.get("Action", [""])[0]
        is_nothing = code in _NOTHING or (response.status == 404 and target in _MAY_BE_MISSING)
        if not is_nothing:
            self.problems.append(f"{response.status} {code} from {response.url} {target}")

    def _on_request(self, request):
        parts = urllib.parse.urlsplit(request.url)
        if parts.scheme in ("data", "blob"):
            return
        is_visit = request.is_navigation_request() and f"{parts.scheme}://{parts.netloc}" in self.visits
        if f"{parts.scheme}://{parts.netloc}" != self.origin and not is_visit:
            self.problems.append(f"request to another origin: {request.url}")

    def open(self, path="/"):
        """Opens an address of the console and waits until its heading is there."""
        self.raw.goto(f"{self.origin}/console{path}")
        self.heading().wait_for()
        return self

    def sign_in(self, person, path="/"):
        """Signs in by the person's access key, at the address of a page, and waits for that page."""
        self.open(path)
        tab = self.raw.get_by_role("tab", name="Access key")
        if tab.count():
            tab.click()
        self.raw.get_by_label("Access key id").fill(person.credentials.access_key_id)
        self.raw.get_by_label("Secret access key").fill(person.credentials.secret_access_key)
        self.raw.get_by_role("button", name="Sign in").click()
        # The frame's link to the home page is there for those who are signed in.
        self.raw.get_by_role("button", name="Settings").or_(self.raw.get_by_role("button", name="More")).first.wait_for()
        self.heading().wait_for()
        # The page asked whether there is a session, and there was none.
        self.problems = [problem for problem in self.problems if "/console/session/credentials" not in problem]
        return self

    def heading(self, name=None, exact=False):
        """The page's h1."""
        return self.raw.get_by_role("heading", level=1, **({"name": name, "exact": exact} if name else {}))

    def press(self, *keys):
        """Presses keys one after the other."""
        for key in keys:
            self.raw.keyboard.press(key)

    def focused(self):
        """What a screen reader would say of the element that has the focus now: its role and its name."""
        return self.raw.evaluate(
            "() => { const e = document.activeElement;"
            " return [e.getAttribute('role') || e.tagName.toLowerCase(),"
            " (e.getAttribute('aria-label') || e.innerText || '').trim()]; }"
        )

    def tab_to(self, locator, most=200):
        """Presses Tab until the element has the focus; fails when it cannot be reached by keyboard."""
        for _ in range(most):
            if locator.evaluate("e => e === document.activeElement || e.contains(document.activeElement)"):
                return
            self.press("Tab")
        raise AssertionError(f"{locator} cannot be reached by the keyboard")

    def axe(self):
        """Fails on what axe finds against WCAG 2.2 AA and its best practices for the page's structure."""
        # By evaluation: the content security policy refuses an injected script element, as it should.
        if not self.raw.evaluate("typeof axe === 'object'"):
            self.raw.evaluate(_AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = self.raw.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
        assert found["passes"], "axe looked at nothing"
        lines = [
            f"{finding['id']}: {finding['help']}\n    " + "\n    ".join(node["html"] for node in finding["nodes"])
            for finding in found["violations"]
        ]
        assert not lines, f"axe finds on {self.raw.url}:\n" + "\n".join(lines)

    def check(self):
        """Fails on what went wrong since the page was made."""
        problems, self.problems = self.problems, []
        assert not problems, f"on {self.raw.url}:\n" + "\n".join(problems)
