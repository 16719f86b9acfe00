"""The fixtures of every story: a server of its own for each file, its root user, and a look back at each test's end."""

import pytest

from berth import outcome
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


@pytest.fixture(scope="session")
def layouts(tmp_path_factory):
    """A place for OCI image layouts."""
    return tmp_path_factory.mktemp("layouts")


@pytest.fixture(autouse=True)
def every_outcome_is_looked_at():
    """A command whose result nobody checked proves nothing."""
    outcome.forget_unread()
    yield
    left = outcome.forget_unread()
    assert not left, "nobody looked at what came of:\n" + "\n".join(map(str, left))
