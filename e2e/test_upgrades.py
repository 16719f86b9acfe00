"""Data of earlier versions: this version opens it, serves all of it, and goes on from there.

`fixtures/README.md` says how the fixtures are made.
"""

import json
import pathlib
import subprocess
import tarfile

import pytest

from berth import fixture
from berth.server import Server

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
VERSIONS = sorted(path.name for path in FIXTURES.iterdir() if (path / "sqlite.tar.xz").exists())


def unpack(version, kind, directory):
    with tarfile.open(FIXTURES / version / f"{kind}.tar.xz") as archive:
        archive.extractall(directory)
    return json.loads((directory / "expected.json").read_text())


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("version", VERSIONS)
def test_data_of_an_earlier_version(version, kind, tmp_path, request):
    expected = unpack(version, kind, tmp_path)
    options = ()
    if kind == "postgres":
        url = request.getfixturevalue("postgres")
        subprocess.run(["psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", url,
                        "--output", "/dev/null", "--file", tmp_path / "dump.sql"], check=True)
        options = ("--database", url)
    with Server(tmp_path, *options) as server:
        fixture.check(server, expected)
        # A second start finds what the first one changed, and what was written since.
        server.stop()
        server.start()
        fixture.check(server, expected)


def test_there_is_a_fixture_of_each_version():
    assert ["0.1", "0.2"] == VERSIONS
