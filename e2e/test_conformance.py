"""The OCI distribution specification's own conformance suite, against the real server."""

import os
import re

import pytest

from berth import clients
from berth.policies import LOGIN, allow, policy

#: Options of the suite that are off by default and that Berth supports. Sparse manifests stay off: see
#: docs/adr/0006-sparse-manifests-are-refused.md.
BEYOND_DEFAULTS = {
    "OCI_API_BLOBS_DIGEST_HEADER": "true",
    "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
    "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
    "OCI_API_MANIFESTS_TAG_PARAM": "true",
}


@pytest.mark.parametrize("version", ["1.0", "1.1", "dev"])
def test_conformance(root, tmp_path, version):
    repositories = [f"conformance-{version}/{name}" for name in ("one", "two")]
    for name in repositories:
        root.create_repository(name)
    tester = root.create_user(f"tester-{version}", policy(
        LOGIN,
        allow("ecr:*", [root.repository_arn(name) for name in repositories])))
    result = tester.run(clients.tool("conformance"), cwd=tmp_path, env={
        "OCI_VERSION": version, "OCI_REGISTRY": tester.registry, "OCI_TLS": "disabled",
        "OCI_REPO1": repositories[0], "OCI_REPO2": repositories[1],
        "OCI_USERNAME": "AWS", "OCI_PASSWORD": tester.password,
        "OCI_RESULTS_DIR": str(tmp_path / "results"),
        **(BEYOND_DEFAULTS if version == "dev" else {}),
    })
    text = result.ok().text
    failures = re.findall(r"(?im)^.*\bfail(?:ed|ure)?s?: *([1-9]\d*).*$", text)
    assert not failures, text
    assert os.path.exists(tmp_path / "results" / "junit.xml")
    report = (tmp_path / "results" / "junit.xml").read_text()
    assert re.search(r'failures="0"', report) and not re.search(r'failures="[1-9]', report), text
