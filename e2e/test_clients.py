"""The other clients: skopeo, podman, buildah, containerd's ctr and umoci's images, each pushing and pulling as itself."""

import concurrent.futures
import json
import secrets

import pytest

from berth import images
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import allow, policy, pull_only, push_and_pull

REPOSITORIES = ("skopeo", "podman", "buildah", "ctr", "umoci", "copies", "many")


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


def test_umoci_and_skopeo(writer, reader, layouts):
    message = secrets.token_hex(16)
    layout = images.umoci_layout(layouts / "umoci", message)
    writer.skopeo.login()
    writer.skopeo.push(layout, "umoci:v1").ok()
    assert writer.skopeo.tags("umoci") == ["v1"]
    assert writer.skopeo.inspect("umoci:v1").json["Architecture"] == "amd64"

    reader.skopeo.login()
    reader.skopeo.pull("umoci:v1", f"oci:{layouts / 'back'}:v1").ok()
    # The same bytes: the index of both layouts names the same manifest digest.
    first, second = (json.loads((layouts / d / "index.json").read_text())["manifests"][0]["digest"]
                     for d in ("umoci/layout", "back"))
    assert first == second
    refused(reader, reader.skopeo.push(images.umoci_layout(layouts / "mine", "mine"), "umoci:v2"), "umoci")
    # Of an image that is there already, the reader may not even move a tag.
    reader.skopeo.push(layout, "umoci:v2").denied(
        action="ecr:PutImage", resource=reader.repository_arn("umoci"), because=NO_IDENTITY_POLICY)

    # An OCI image runs on docker, too.
    reader.docker.login()
    reader.docker.pull("umoci:v1").ok()
    assert reader.docker("run", "--rm", "--network", "none", reader.image("umoci:v1"), "cat", images.MESSAGE).out == message + "\n"


@pytest.mark.parametrize("options", [("--format", "v2s2"), ("--format", "oci"), ("--dest-compress-format", "zstd", "--format", "oci")],
                         ids=["docker-v2s2", "oci", "zstd"])
def test_skopeo_pushes_each_format_and_compression(writer, layouts, options):
    name = "-".join(options).strip("-").replace("--", "")
    layout = images.umoci_layout(layouts / name, name)
    writer.skopeo.login()
    writer.skopeo.push(layout, "skopeo:" + name, *options).ok()
    writer.skopeo.pull("skopeo:" + name, f"dir:{layouts / (name + '-back')}").ok()
    raw = json.loads(writer.skopeo.inspect("skopeo:" + name, "--raw").out)
    kinds = {layer["mediaType"].rpartition("+")[2].rpartition(".")[2] for layer in raw["layers"]}
    assert kinds == ({"zstd"} if "zstd" in name else {"gzip"})


def test_skopeo_copies_from_repository_to_repository_and_deletes(writer, layouts):
    writer.skopeo.login()
    writer.skopeo.push(images.umoci_layout(layouts / "source", "source"), "skopeo:source").ok()
    writer.skopeo("copy", "--src-tls-verify=false", "--dest-tls-verify=false",
                  f"docker://{writer.image('skopeo:source')}", f"docker://{writer.image('copies:v1')}").ok()
    assert writer.skopeo.tags("copies") == ["v1"]
    writer.skopeo.delete("copies:v1").ok()
    writer.skopeo.inspect("copies:v1").failed()
    writer.skopeo.inspect("skopeo:source").ok()


def test_podman(writer, reader):
    writer.podman.login()
    message = writer.buildah.build("podman:v1")  # podman and buildah share their storage
    writer.podman.push("podman:v1").ok()
    writer.podman.forget("podman:v1")
    reader.podman.login()
    reader.podman.pull("podman:v1").ok()
    assert reader.podman.message("podman:v1") == message
    reader.buildah.build("podman:v2")
    refused(reader, reader.podman.push("podman:v2"), "podman")


@pytest.mark.parametrize("form", ["oci", "v2s2"])
def test_buildah(writer, reader, form):
    writer.buildah.login()
    message = writer.buildah.build(f"buildah:{form}")
    writer.buildah.push(f"buildah:{form}", "--format", form).ok()
    reader.docker.login()
    reader.docker.pull(f"buildah:{form}").ok()
    assert reader.docker.message(f"buildah:{form}") == message
    reader.buildah.login()
    reader.buildah.build(f"buildah:{form}-mine")
    refused(reader, reader.buildah.push(f"buildah:{form}-mine"), "buildah")


def test_containerd(writer, reader):
    writer.docker.login()
    message = writer.docker.build("ctr:v1")
    writer.docker.push("ctr:v1").ok()

    reader.ctr.pull("ctr:v1").ok()
    assert reader.ctr.run("ctr:v1", "/bin/busybox", "cat", images.MESSAGE).out.strip() == message

    reader.ctr.tag("ctr:v1", "ctr:v2")
    reader.ctr.push("ctr:v2").failed("403 Forbidden")
    writer.ctr.push("ctr:v2").ok()
    writer.docker.pull("ctr:v2").ok()
    assert writer.docker.message("ctr:v2") == message


def test_an_index_of_two_platforms(writer, layouts):
    """`docker manifest`, `podman manifest` and BuildKit push an index; each host takes its own image from it."""
    writer.podman.login()
    for arch in ("amd64", "arm64"):
        layout = images.umoci_layout(layouts / arch, arch)
        writer.run("umoci", "config", "--image", layout.removeprefix("oci:"), "--architecture", arch).ok()
        writer.skopeo.login()
        writer.skopeo.push(layout, f"many:{arch}").ok()
    many = writer.image("many:v1")
    writer.podman("manifest", "create", many).ok()
    for arch in ("amd64", "arm64"):
        writer.podman("manifest", "add", "--tls-verify=false", many, f"docker://{writer.image(f'many:{arch}')}").ok()
    writer.podman("manifest", "push", "--tls-verify=false", "--all", many, f"docker://{many}").ok()
    raw = json.loads(writer.skopeo.inspect("many:v1", "--raw").out)
    assert sorted(m["platform"]["architecture"] for m in raw["manifests"]) == ["amd64", "arm64"]
    writer.docker.login()
    writer.docker.pull("many:v1").ok()
    assert writer.docker.message("many:v1") == "amd64"


def test_two_repositories_share_a_layer_only_for_those_who_may_read_both(root, writer):
    """docker asks to mount a layer it knows from another repository; who may not read that one uploads it instead."""
    root.create_repository("base")
    root.create_repository("derived")
    root.docker.login()
    message = root.docker.build("base:v1")
    root.docker.push("base:v1").ok()
    root.docker.tag("base:v1", "derived:v1")
    assert "Mounted from base" in root.docker.push("derived:v1").ok().text

    root.create_repository("private")
    root.docker.tag("base:v1", "private:v1")
    only = root.create_user("only-private", policy(*push_and_pull("private")))
    only.docker.login()
    said = only.docker.push("private:v1").ok().text
    assert "Mounted from" not in said and "Pushed" in said
    only.docker.pull("private:v1").ok()
    assert only.docker.message("private:v1") == message


def test_an_immutable_tag_stays(root):
    root.create_repository("fixed", imageTagMutability="IMMUTABLE")
    root.docker.login()
    message = root.docker.build("fixed:v1")
    root.docker.push("fixed:v1").ok()
    root.docker.push("fixed:v1").ok()  # the same image again is no change
    root.docker.build("fixed:v1")
    root.docker.push("fixed:v1").failed(
        "The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.")
    root.docker.pull("fixed:v1").ok()
    assert root.docker.message("fixed:v1") == message


def test_pushes_at_the_same_time(writer):
    """Five pushes of different images to one repository, side by side."""
    writer.docker.login()
    messages = {f"many:side-{n}": writer.docker.build(f"many:side-{n}") for n in range(5)}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for outcome in pool.map(writer.docker.push, messages):
            outcome.ok()
    for reference, message in messages.items():
        writer.docker.pull(reference).ok()
        assert writer.docker.message(reference) == message
