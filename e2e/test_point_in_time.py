"""A PostgreSQL with archiving is brought to a moment between two backups, as docs/how-to/back-up-and-restore.md says."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from berth import images
from berth.backups import Restored, done, everything, pulls
from berth.server import Server, binary

#: The user that Debian's package makes: PostgreSQL refuses to run as root.
_USER = "postgres"
_START_S_MAX = 60


class Cluster:
    """A PostgreSQL of its own, whose log is archived."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.data, self.archive = self.directory / "data", self.directory / "archive"
        self.bin = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.directory.mkdir()
        self.archive.mkdir()
        self.own(self.directory)

    def own(self, path):
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", _USER, path], check=True)

    def tool(self, name, *arguments):
        as_root = ("runuser", "-u", _USER, "--") if os.geteuid() == 0 else ()
        ended = subprocess.run([*as_root, self.bin / name, *map(str, arguments)], cwd=self.directory, check=False,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert ended.returncode == 0, ended.stdout

    def make(self):
        self.tool("initdb", "--pgdata", self.data, "--username=berth", "--auth=trust", "--encoding=UTF8", "--locale=C")
        self.configure(archive_mode="on", archive_command=f"cp %p {self.archive}/%f", wal_level="replica")

    def configure(self, **settings):
        settings |= {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.directory}
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        self.tool("pg_ctl", "start", "--pgdata", self.data, "--log", self.directory / "log", "--wait")

    def stop(self):
        self.tool("pg_ctl", "stop", "--pgdata", self.data, "--mode", "fast", "--wait")

    @property
    def url(self):
        return f"postgres://berth@127.0.0.1:{self.port}/postgres"

    def ask(self, sql):
        return subprocess.run(["psql", "--quiet", "--tuples-only", "--no-align", "--dbname", self.url, "--command", sql],
                              check=True, capture_output=True, text=True).stdout.strip()


@contextlib.contextmanager
def running(cluster):
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


def test_a_database_is_brought_to_a_moment_and_made_a_restored_one(short_directory, tmp_path):
    cluster = Cluster(short_directory / "pg")
    cluster.make()
    with running(cluster):
        # Longer than the time to go back: nothing is collected meanwhile.
        with Server(tmp_path / "old", "--database", cluster.url, "--collect-after", "604800") as berth:
            root = berth.root
            root.create_repository("app")
            root.raw().push("app", "before", images.Image(layer_bytes=40_000)).expect(201)
            cluster.tool("pg_basebackup", "--dbname", cluster.url, "--pgdata", cluster.directory / "base",
                         "--wal-method=none", "--checkpoint=fast")
            root.raw().push("app", "wanted", images.Image(layer_bytes=40_000)).expect(201)
            before = everything(root)
            time.sleep(1)
            moment = cluster.ask("SELECT now()")
            time.sleep(1)
            # The accident.
            root.ecr.batch_delete_image(repositoryName="app", imageIds=[{"imageTag": "wanted"}, {"imageTag": "before"}])
            root.raw().push("app", "after", images.Image(layer_bytes=40_000)).expect(201)
            key = berth.data / "master.key"
        cluster.ask("SELECT pg_switch_wal()")
    # To the moment.
    shutil.rmtree(cluster.data)
    (cluster.directory / "base").rename(cluster.data)
    cluster.configure(restore_command=f"cp {cluster.archive}/%f %p", recovery_target_time=moment,
                      recovery_target_action="promote", archive_mode="off")
    (cluster.data / "recovery.signal").touch()
    cluster.own(cluster.data)
    backups = tmp_path / "backups"
    with running(cluster):
        end = time.monotonic() + _START_S_MAX
        while cluster.ask("SELECT pg_is_in_recovery()") != "f":
            assert time.monotonic() < end, "the database does not come out of recovery"
            time.sleep(0.1)
        line = done("backup", "--data", berth.data, "--to", backups, "--database", cluster.url, "--output", "json")
        assert json.loads(line)["faultCount"] == 0
        new = Restored(tmp_path / "new", berth)
        assert key.exists() and new.restore(backups).returncode == 0
    with new:
        assert everything(new.root) == before
        pulls(new.root, before)
        assert "is finished" in new.root.run(binary(), "restore", "finish").out


@pytest.fixture
def short_directory():
    """Paths of sockets are short, and the other user must reach it."""
    made = pathlib.Path(f"/tmp/berth-pitr-{os.getpid()}")
    made.mkdir(mode=0o755)
    yield made
    shutil.rmtree(made)
