"""A host with `berth agent`: it joins by an invitation and gets its instance profile's role."""

import contextlib
import json
import subprocess

from .people import Credentials, Person
from .server import binary


class Machine(Person):
    """A host that joins: its shell has no credentials."""

    def __init__(self, root):
        super().__init__(root.server, "machine", Credentials("", ""), root.account, "")
        self.root = root
        self.state = self.home / "agent"
        self.metadata = None

    @classmethod
    def invited(cls, root, profile):
        """A host that was invited by the command line, and joined."""
        made = cls(root)
        code = root.run(binary(), "host", "invite", "--instance-profile", profile).ok().out
        made.joined = made.join(code, "--endpoint-url", made.server.url, "--host-name", "web-1")
        return made

    def join(self, code, *options):
        return self.agent("join", *options, input=code)

    @property
    def environment(self):
        made = {name: value for name, value in super().environment.items()
                if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED")}
        if self.metadata:
            made["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = self.metadata
        return made

    def agent(self, command, *options, input=None):
        return self.run(binary(), "agent", command, "--state-dir", self.state, *options, input=input)

    @property
    def id(self):
        return json.loads((self.state / "host.json").read_text())["host_id"]

    @contextlib.contextmanager
    def serving(self, *options):
        """`berth agent run` on a free port of this machine."""
        argv = [binary(), "agent", "run", "--state-dir", str(self.state), "--listen", "127.0.0.1:0", *map(str, options)]
        log = open(self.home / "agent.log", "ab")
        process = subprocess.Popen(argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=log, text=True)
        try:
            line = process.stdout.readline()
            assert line.startswith("berth agent listening on http://"), (self.home / "agent.log").read_text()
            self.metadata = line.split()[-1]
            yield process
        finally:
            self.metadata = None
            process.terminate()
            assert process.wait(timeout=30) == 0
            process.stdout.close()
            log.close()
