"""The service `berth` as its clients learn it: from its model."""

import pathlib

from berth.server import binary

PROJECT = pathlib.Path(__file__).parent.parent.parent
MODEL = PROJECT / "crates/aws-api/models/berth/2026-12-01/service-2.json"


def berth_command(person, *arguments):
    """`berth …` in a person's shell."""
    return person.run(binary(), *arguments)
