"""The server under test: the binary that users run, in a directory of its own."""

import configparser
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading

from .people import Credentials, Person

ACCOUNT = "123456789012"
REGION = "us-east-1"
_LISTENING = re.compile(r"^berth listening on (https?://([^/\s]+))$")
_START_S_MAX = 30
_STOP_S_MAX = 30


def binary():
    """The program to test: `BERTH_BIN`, which `cargo xtask test` sets to the one it has just built."""
    path = os.environ.get("BERTH_BIN")
    assert path and os.access(path, os.X_OK), (
        "BERTH_BIN must name the berth binary: run `cargo xtask test e2e`, or build it and export BERTH_BIN"
    )
    return path


class Server:
    """`with Server(tmp) as berth:` starts one on a free port and waits until it says that it listens."""

    def __init__(self, directory, *options, account=ACCOUNT, region=REGION, ca=None, listen="127.0.0.1:0",
                 environment=None):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.log = self.directory / "berth.log"
        self.account, self.region, self.options = account, region, options
        self.ca = ca  # the certificate that clients trust, where the server speaks TLS
        self.environment = environment or {}
        self.url = self.registry = None
        self._listen = listen
        self._process = None
        self.directory.mkdir(parents=True, exist_ok=True)

    def _argv(self, *command):
        return [binary(), *command]

    def start(self):
        assert self._process is None, "it is running already"
        log = self.log.open("ab")
        self._process = subprocess.Popen(
            self._argv("serve", "--listen", self._listen, "--data-dir", self.data,
                       "--account-id", self.account, "--region", self.region, *self.options),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=_environment() | self.environment,
        )
        log.close()
        lines = queue.Queue()
        threading.Thread(target=self._read, args=(self._process.stdout, lines), daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=_START_S_MAX)
            except queue.Empty:
                line = None
            if line is None:
                self.kill()
                raise AssertionError(f"berth serve did not come up:\n{self.words()}")
            if found := _LISTENING.match(line):
                self.url, self.registry = found.groups()
                # A server that is started again is the same server: same address.
                self._listen = self.registry
                return self

    def _read(self, pipe, lines):
        # Read to the end, so that a full pipe never stops the server; keep the words for a failure's report.
        with pipe, self.log.open("ab") as log:
            for raw in pipe:
                log.write(raw)
                log.flush()
                lines.put(raw.decode(errors="replace").rstrip("\n"))
        lines.put(None)

    def words(self):
        """All the server has written so far."""
        return self.log.read_text(errors="replace")

    def kill(self):
        """SIGKILL: no last words, no clean-up."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def stop(self):
        """SIGTERM: finishes what is running, and exits with 0."""
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(_STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"berth serve did not stop on SIGTERM:\n{self.words()}") from None
        assert code == 0, f"berth serve ended with {code}:\n{self.words()}"

    def is_running(self):
        """Whether it was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        return self.start()

    def __exit__(self, failure, *_):
        if self._process is not None:
            self.kill() if failure else self.stop()

    @property
    def root(self):
        """The first account's root user, from the file that the first start wrote."""
        path = self.data / "credentials"
        assert path.stat().st_mode & 0o777 == 0o600, "the credentials file is for its owner alone"
        return Person(self, "root", self._profile(path.read_text(), "default"), self.account,
                      f"arn:aws:iam::{self.account}:root")

    def create_account(self, account):
        """Another account on the same server, as its operator makes it; answers that account's root user."""
        done = subprocess.run(
            self._argv("account", "create", "--data-dir", self.data, "--account-id", account, *self._database()),
            capture_output=True, text=True, stdin=subprocess.DEVNULL, env=_environment(), timeout=60,
        )
        assert done.returncode == 0, f"berth account create failed:\n{done.stdout}{done.stderr}"
        return Person(self, "root", self._profile(done.stdout, account), account, f"arn:aws:iam::{account}:root")

    def _database(self):
        if "--database" in self.options:
            at = self.options.index("--database")
            return self.options[at:at + 2]
        return ()

    @staticmethod
    def _profile(text, name):
        # Only the section's own lines: a command may print explanations around it.
        section = re.search(rf"^\[{name}\]\n(?:\w+\s*=.*\n?)+", text, re.MULTILINE)
        assert section, f"no profile [{name}] in:\n{text}"
        file = configparser.ConfigParser()
        file.read_string(section.group())
        return Credentials(file[name]["aws_access_key_id"], file[name]["aws_secret_access_key"])


def _environment():
    """PATH and a home, and nothing that could configure the server behind the test's back."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "RUST_BACKTRACE": "1",
            "RUST_LOG": os.environ.get("RUST_LOG", "info")}
