"""How long the console's first load takes on a processor that is four times slower, as a measurement and not as a test.

    BERTH_BIN=target/release/berth target/e2e-venv/bin/python bench/console/first_load.py [ROUNDS]

Each round has a new profile, so that nothing is cached. Interactive is when the page's heading is there and the last task of more
than 50 ms has ended, with none in the second after it (as in Lighthouse's Time to Interactive).
"""

import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "e2e"))

from berth.browser import Browser  # noqa: E402
from berth.server import Server  # noqa: E402

SLOWER = 4
QUIET_MS = 1000
WAIT_S_MAX = 60
_IS_QUIET = f"""() => {{
  const {{heading, tasks}} = window.measured;
  return heading !== undefined && performance.now() - Math.max(heading, ...tasks.map(t => t[0] + t[1])) > {QUIET_MS};
}}"""
_WATCH = """() => {
  window.measured = {heading: undefined, tasks: []};
  new PerformanceObserver(list => {
    for (const task of list.getEntries()) window.measured.tasks.push([task.startTime, task.duration]);
  }).observe({type: 'longtask', buffered: true});
  new MutationObserver(() => {
    if (window.measured.heading === undefined && document.querySelector('h1')) window.measured.heading = performance.now();
  }).observe(document, {childList: true, subtree: true});
}"""


def measure(page, url):
    """Milliseconds until the heading and until interactive, and the bytes that came."""
    session = page.context.new_cdp_session(page.raw)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    received = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url)
    page.heading().wait_for()
    # Looked at from here: the page's policy allows no text as a script, which the driver's own wait would be.
    deadline = time.monotonic() + WAIT_S_MAX
    while not page.evaluate(_IS_QUIET):
        assert time.monotonic() < deadline, "the page never became quiet"
        page.wait_for_timeout(200)
    found = page.evaluate("() => window.measured")
    blocked = [start + length for start, length in found["tasks"]]
    session.detach()
    return found["heading"], max([found["heading"], *blocked]), sum(received)


def main(rounds):
    with tempfile.TemporaryDirectory() as directory, Server(directory) as server, Browser(server) as browser:
        server.root.create_repository("app")
        measured = {"sign-in page": [], "home page, signed in": []}
        for _ in range(rounds):
            page = browser.page(expect_refusals=True)
            page.add_init_script(f"({_WATCH})()")
            measured["sign-in page"].append(measure(page, f"{server.url}/console/"))
            page.sign_in(server.root)
            measured["home page, signed in"].append(measure(page, f"{server.url}/console/"))
            page.context.close()
    print("| page | heading (ms) | interactive (ms) | KB received |\n|---|---|---|---|")
    for name, runs in measured.items():
        heading, interactive, size = (statistics.median(run[at] for run in runs) for at in range(3))
        print(f"| {name} | {heading:.0f} | {interactive:.0f} | {size / 1000:.0f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
