"""Registries of other makers, as images come from them."""

import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

DISTRIBUTION = "/usr/bin/docker-registry"
USER, PASSWORD = "mover", "secret"
#: `htpasswd -B -C 4` of the two: each request pays for the hash.
HTPASSWD = f"{USER}:$2b$04$XOpT8Nt7a4JEEp3Qz5CE5OB1gwxB/23Ihx9Kt7y0P6cDI8YSzw9Ey\n"
_START_S_MAX = 30

CONFIGURATION = """version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {store}}}
  delete: {{enabled: true}}
http: {{addr: "{registry}"}}
auth:
  htpasswd: {{realm: peers, path: {passwords}}}
"""


class Distribution:
    """Debian's docker-registry (CNCF distribution), with one user."""

    ca = None

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.store = self.directory / "store"
        self.store.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.registry = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{self.registry}"
        self.password_file = self.directory / "password"
        self.password_file.write_text(PASSWORD + "\n")
        self._process = None

    def __enter__(self):
        passwords, configuration = self.directory / "htpasswd", self.directory / "config.yml"
        passwords.write_text(HTPASSWD)
        configuration.write_text(CONFIGURATION.format(store=self.store, registry=self.registry, passwords=passwords))
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen([DISTRIBUTION, "serve", configuration], stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL)
        ends = time.monotonic() + _START_S_MAX
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/v2/", timeout=5)
            except urllib.error.HTTPError:
                return self  # it wants a login
            except OSError:
                assert self._process.poll() is None and time.monotonic() < ends, (self.directory / "log").read_text()
                time.sleep(0.05)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
