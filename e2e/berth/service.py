"""The service `berth` as its clients learn it: from its model."""

import pathlib

PROJECT = pathlib.Path(__file__).parent.parent.parent
MODEL = PROJECT / "crates/aws-api/models/berth/2026-12-01/service-2.json"
