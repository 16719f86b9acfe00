"""crane, oras and regctl, each pushing, pulling and deleting as one person, and each refused what that person may not do."""

import json
import secrets

import pytest

from berth import images
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import allow, policy, pull_only, push_and_pull

REPOSITORIES = ("crane", "oras", "regctl")


@pytest.fixture(scope="module")
def writer(root):
    for name in REPOSITORIES:
        root.create_repository(name)
    return root.create_user("writer", policy(*push_and_pull(*REPOSITORIES), allow("ecr:BatchDeleteImage", "*")))


@pytest.fixture(scope="module")
def reader(root, writer):
    return root.create_user("reader", policy(*pull_only(*REPOSITORIES)))


def refused(who, outcome, repository):
    outcome.denied(action="ecr:InitiateLayerUpload", resource=who.repository_arn(repository), because=NO_IDENTITY_POLICY)


def archive(directory, name):
    """A docker archive with an image of its own, as `crane push` reads it."""
    layout = images.umoci_layout(directory / name, secrets.token_hex(8))
    return layout.removeprefix("oci:").rpartition(":")[0]


def test_crane(writer, reader, tmp_path):
    layout = archive(tmp_path, "crane")
    writer.crane.login()
    writer.crane("push", layout, writer.image("crane:v1")).ok()
    digest = writer.crane("digest", writer.image("crane:v1")).ok().out.strip()
    assert writer.crane("ls", writer.image("crane")).ok().out.split() == ["v1"]
    writer.crane("tag", writer.image("crane:v1"), "v2").ok()
    writer.crane("copy", writer.image("crane:v1"), writer.image("oras:copied")).ok()

    reader.crane.login()
    reader.crane("pull", "--format", "oci", reader.image("crane:v2"), tmp_path / "back").ok()
    reader.crane("validate", "--remote", reader.image("crane:v1")).ok()
    refused(reader, reader.crane("push", archive(tmp_path, "mine"), reader.image("crane:mine")), "crane")

    # An index that filters everything away is written with `"manifests": null`.
    writer.crane("index", "append", "--manifest", writer.image("crane:v1"), "--tag", writer.image("crane:index")).ok()
    writer.crane("index", "filter", writer.image("crane:index"), "--platform", "plan9/mips",
                 "--tag", writer.image("crane:none")).ok()
    assert json.loads(writer.crane("manifest", writer.image("crane:none")).ok().out)["manifests"] in (None, [])

    writer.crane("delete", f"{writer.image('crane')}@{digest}").failed()  # the index holds it
    writer.crane("delete", writer.image("crane:v2")).ok()


def test_oras(writer, reader, tmp_path):
    (tmp_path / "hello.txt").write_text("hello")
    (tmp_path / "sbom.json").write_text("{}")
    writer.oras.login()
    writer.oras("push", "--plain-http", writer.image("oras:v1"), "hello.txt:text/plain", cwd=tmp_path).ok()
    writer.oras("attach", "--plain-http", "--artifact-type", "application/vnd.example.sbom",
                writer.image("oras:v1"), "sbom.json", cwd=tmp_path).ok()
    reader.oras.login()
    found = reader.oras("discover", "--plain-http", "--format", "json", reader.image("oras:v1")).json
    assert [r["artifactType"] for r in found["referrers"]] == ["application/vnd.example.sbom"]
    reader.oras("pull", "--plain-http", "--output", tmp_path / "back", reader.image("oras:v1")).ok()
    assert (tmp_path / "back/hello.txt").read_text() == "hello"
    (tmp_path / "mine.txt").write_text("mine")
    refused(reader, reader.oras("push", "--plain-http", reader.image("oras:mine"), "mine.txt:text/plain", cwd=tmp_path), "oras")
    writer.oras("manifest", "delete", "--plain-http", "--force", writer.image("oras:v1")).ok()


def test_regctl(writer, reader, tmp_path):
    writer.regctl.login()
    # `image create` writes `"layers": null`.
    writer.regctl("image", "create", writer.image("regctl:empty")).ok()
    layout = archive(tmp_path, "regctl")
    writer.regctl("image", "import", "--name", "latest", writer.image("regctl:v1"), tar(layout, tmp_path)).ok()
    writer.regctl("image", "mod", "--label", "a=b", "--replace", writer.image("regctl:v1")).ok()
    assert set(writer.regctl("tag", "ls", writer.image("regctl")).ok().out.split()) == {"empty", "v1"}

    reader.regctl.login()
    reader.regctl("image", "export", reader.image("regctl:v1"), tmp_path / "back.tar").ok()
    reader.regctl("image", "copy", reader.image("regctl:v1"), reader.image("regctl:mine")).denied(
        action="ecr:PutImage", resource=reader.repository_arn("regctl"), because=NO_IDENTITY_POLICY)
    writer.regctl("tag", "delete", writer.image("regctl:v1")).ok()


def tar(layout, directory):
    """The layout as the tar file that `regctl image import` reads."""
    import tarfile
    path = directory / "layout.tar"
    with tarfile.open(path, "w") as file:
        file.add(layout, arcname=".")
    return path
