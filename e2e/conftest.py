"""The fixtures of every story: a server of its own for each file, its root user, and a look back at each test's end."""

import contextlib
import os
import resource
import secrets
import subprocess
import urllib.parse

import pytest

from berth import outcome
from berth.issuer import Issuer
from berth.server import Server


@pytest.fixture(scope="module")
def berth(tmp_path_factory, request):
    """A running server, new for each file of stories."""
    name = request.module.__name__
    with Server(tmp_path_factory.mktemp(name)) as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    """The first account's root user: who sets a story up."""
    return berth.root


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    """Identity providers of the file, for tests that ask for them."""
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="session")
def layouts(tmp_path_factory):
    """A place for OCI image layouts."""
    return tmp_path_factory.mktemp("layouts")


@pytest.fixture(scope="module")
def many_files():
    """Thousands of sockets, here and in the servers that are started from here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def new_database():
    """The URL of a new database of the server that the test command started."""
    url = os.environ.get("BERTH_TEST_POSTGRES_URL")
    assert url, "BERTH_TEST_POSTGRES_URL is not set: run the tests with `cargo xtask test`"
    name = f"berth_e2e_{secrets.token_hex(6)}"
    subprocess.run(["psql", "--quiet", "--dbname", url, "--command", f"CREATE DATABASE {name}"], check=True)
    yield urllib.parse.urlsplit(url)._replace(path=f"/{name}").geturl()
    subprocess.run(["psql", "--quiet", "--dbname", url, "--command", f"DROP DATABASE {name} WITH (FORCE)"], check=True)


@pytest.fixture
def postgres():
    """A new database's URL."""
    with new_database() as url:
        yield url


@pytest.fixture
def another_postgres():
    """A second one."""
    with new_database() as url:
        yield url


@pytest.fixture(autouse=True)
def every_outcome_is_looked_at():
    """A command whose result nobody checked proves nothing."""
    outcome.forget_unread()
    yield
    left = outcome.forget_unread()
    assert not left, "nobody looked at what came of:\n" + "\n".join(map(str, left))
