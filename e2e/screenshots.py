"""The pictures in `docs/console/`: every screen of a filled account, light and dark. Run by `cargo xtask screenshots`.

What differs from run to run (times, ids, the port) is replaced on the page before the picture is taken, so that two runs
make the same pictures as far as the screens are the same.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from berth.browser import Browser
from berth.server import Server
from berth.showcase import VIEWS, check_views, fill

FOLDER = pathlib.Path(__file__).parents[1] / "docs/console"
SIZE = {"width": 1280, "height": 800}
_HEIGHT_MAX = 1600
_BYTES_MAX = 5_000_000
#: The sign-in page stands in place of every screen for those who are not signed in.
SIGN_IN = ("sign-in", "Signing in: as a user, by an access key, or as root.")

# Times, ids and addresses of this run, in texts and fields; and no blinking cursor.
_SAME = """same => {
  const fixed = text => Object.entries(same).reduce((known, [from, to]) => known.replaceAll(from, to), text)
    .replace(/\\b(A[KS]IA)(?!IOSFODNN7)[A-Z0-9]{16}\\b/g, '$1IOSFODNN7EXAMPLE')
    .replace(/\\b127\\.0\\.0\\.1:\\d+/g, 'registry.example.com');
  for (const time of document.querySelectorAll('time')) time.textContent = '27 Nov 2026, 09:14';
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walk.nextNode()) texts.push(walk.currentNode);
  texts.forEach((text, at) => {
    // Long names are cut into texts of their own after each colon.
    if (/\\b127\\.0\\.0\\.1:$/.test(text.data) && /^\\d+\\//.test(texts[at + 1]?.data ?? '')) {
      text.data = text.data.replace(/127\\.0\\.0\\.1:$/, 'registry.example.com');
      texts[at + 1].data = texts[at + 1].data.replace(/^\\d+/, '');
    }
    const next = fixed(text.data);
    if (next !== text.data) text.data = next;
  });
  for (const field of document.querySelectorAll('input, textarea')) field.value = fixed(field.value);
  document.activeElement?.blur();
}"""


def take(page, name, same, dark):
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate(_SAME, same)
    height = min(_HEIGHT_MAX, max(SIZE["height"], page.evaluate("document.documentElement.scrollHeight")))
    page.set_viewport_size(SIZE | {"height": height})
    path = FOLDER / f"{name}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=path, animations="disabled", caret="hide", scale="css")
    # A palette instead of 16 million colours: a third of the bytes.
    subprocess.run(["pngquant", "--force", "--strip", "--speed", "3", "--output", path, "128", path], check=True)
    page.set_viewport_size(SIZE)


def take_all(server, filled, only):
    for dark in (False, True):
        with Browser(server) as browser:
            page = browser.page(SIZE, dark, expect_refusals=True)
            page.open("/")
            if not only or SIGN_IN[0] in only:
                take(page, SIGN_IN[0], filled.same, dark)
            page.sign_in(server.root)
            for view in VIEWS:
                if only and view.name not in only:
                    continue
                page.open(filled.address(view))
                if view.ready:
                    page.get_by_text(view.ready).first.wait_for()
                take(page, view.name, filled.same, dark)


def page_of_all():
    """README.md, with one sentence a picture."""
    rows = [SIGN_IN, *((view.name, view.sentence) for view in VIEWS)]
    lines = ["# The console in pictures", "",
             "Made by `cargo xtask screenshots`, which also writes this page. Times, ids and the address are examples.", ""]
    for name, sentence in rows:
        alternative = sentence.partition(":")[0].rstrip(".")
        lines += [f"{sentence}", "",
                  f"| light | dark |\n|---|---|\n| ![{alternative}, light]({name}-light.png) | ![{alternative}, dark]({name}-dark.png) |", ""]
    return "\n".join(lines)


def main(only):
    check_views()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not only:
        for old in FOLDER.glob("*.png"):
            old.unlink()
    with tempfile.TemporaryDirectory() as directory, Server(directory) as server:
        take_all(server, fill(server.root), only)
    (FOLDER / "README.md").write_text(page_of_all(), encoding="utf-8")
    size = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(json.dumps({"pictures": len(list(FOLDER.glob("*.png"))), "bytes": size}))
    assert size <= _BYTES_MAX, f"the pictures have {size} bytes, more than {_BYTES_MAX}"


if __name__ == "__main__":
    main(set(sys.argv[1:]))
