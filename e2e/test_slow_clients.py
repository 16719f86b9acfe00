"""Clients that take minutes to build: helm pushes and pulls a chart, cosign signs and verifies an image, BuildKit builds with a
cache in the registry, by its own client and by buildx. Each is refused what its person may not do."""

import json
import re

import pytest

from berth import clients, engines, images
from berth.outcome import NO_IDENTITY_POLICY
from berth.policies import policy, pull_only, push_and_pull

pytestmark = pytest.mark.slow

REPOSITORIES = ("charts/hello", "signed", "built", "built-cache", "buildx", "buildx-cache")


@pytest.fixture(scope="module")
def writer(root):
    for name in REPOSITORIES:
        root.create_repository(name)
    return root.create_user("writer", policy(*push_and_pull(*REPOSITORIES)))


@pytest.fixture(scope="module")
def reader(root, writer):
    return root.create_user("reader", policy(*pull_only(*REPOSITORIES)))


class Helm:
    def __init__(self, person):
        self.person = person

    def __call__(self, *arguments, input=None, cwd=None):
        return self.person.run(clients.slow_tool("helm"), *arguments, input=input, cwd=cwd)

    def login(self):
        return self("registry", "login", "--plain-http", "--username", "AWS", "--password-stdin", self.person.registry,
                    input=self.person.password).ok()


def test_helm(writer, reader, tmp_path):
    helm = Helm(writer)
    helm("create", "hello", cwd=tmp_path).ok()
    helm("package", "hello", "--version", "1.2.3", cwd=tmp_path).ok()
    helm.login()
    helm("push", "--plain-http", tmp_path / "hello-1.2.3.tgz", f"oci://{writer.registry}/charts").ok()

    mine = Helm(reader)
    mine.login()
    mine("pull", "--plain-http", f"oci://{reader.registry}/charts/hello", "--version", "1.2.3", cwd=tmp_path / "hello").ok()
    assert (tmp_path / "hello/hello-1.2.3.tgz").read_bytes() == (tmp_path / "hello-1.2.3.tgz").read_bytes()
    shown = mine("show", "chart", "--plain-http", f"oci://{reader.registry}/charts/hello").ok().out
    assert re.search(r"^version: 1\.2\.3$", shown, re.MULTILINE)
    mine("package", "hello", "--version", "6.6.6", cwd=tmp_path).ok()
    mine("push", "--plain-http", tmp_path / "hello-6.6.6.tgz", f"oci://{reader.registry}/charts").denied(
        action="ecr:InitiateLayerUpload", resource=reader.repository_arn("charts/hello"), because=NO_IDENTITY_POLICY)


def test_cosign(writer, reader, tmp_path):
    image = images.Image()
    writer.raw().push("signed", "v1", image).expect(201)
    reference = f"{writer.image('signed')}@{image.digest}"

    def cosign(person, *arguments):
        home = person.home / "cosign"
        home.mkdir(exist_ok=True)
        person.crane.login()
        return person.run(clients.slow_tool("cosign"), *arguments, cwd=tmp_path,
                          env={"DOCKER_CONFIG": str(person.home / "crane"), "COSIGN_PASSWORD": "", "HOME": str(home)})

    cosign(writer, "generate-key-pair").ok()
    # Without a transparency log: the test reaches no other server.
    (tmp_path / "signing.json").write_text(json.dumps(
        {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "caUrls": [], "oidcUrls": [], "rekorTlogUrls": [],
         "rekorTlogConfig": {"selector": "ANY"}, "tsaUrls": [], "tsaConfig": {"selector": "ANY"}}))
    cosign(writer, "sign", "--yes", "--key", "cosign.key", "--signing-config", "signing.json",
           "--allow-http-registry", reference).ok()
    verified = cosign(reader, "verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", "--allow-http-registry", reference)
    assert image.digest in verified.ok().text
    # The signature is a referrer of the image, or has the image's own tag of signatures.
    listed = reader.raw()("GET", f"/v2/signed/referrers/{image.digest}").expect(200).json["manifests"]
    assert listed, "the signature is not among the referrers"
    cosign(reader, "generate-key-pair", "--output-key-prefix", "other").ok()
    cosign(reader, "verify", "--key", "other.pub", "--insecure-ignore-tlog=true", "--allow-http-registry", reference).failed()
    cosign(reader, "sign", "--yes", "--key", "other.key", "--signing-config", "signing.json", "--allow-http-registry",
           reference).denied(action="ecr:InitiateLayerUpload", resource=reader.repository_arn("signed"),
                             because=NO_IDENTITY_POLICY)


def test_buildkit_with_a_cache_in_the_registry(writer, reader, tmp_path):
    control = clients.slow_tool("buildctl")
    daemon = engines.buildkitd(clients.slow_tool("buildkitd"), control, writer.registry)
    context = images.context(tmp_path / "context", "made by buildkit")
    (context / "Dockerfile").write_text((context / "Dockerfile").read_text().replace(
        "ENTRYPOINT", 'RUN ["/bin/busybox", "touch", "/made"]\nENTRYPOINT'))

    def build(person, repository="built", tag="v1"):
        person.crane.login()
        cache = f"type=registry,ref={person.image('built-cache')}"
        return person.run(
            control, "--addr", daemon.address, "build", "--progress", "plain", "--frontend", "dockerfile.v0",
            "--local", f"context={context}", "--local", f"dockerfile={context}",
            "--output", f"type=image,name={person.image(repository)}:{tag},push=true",
            "--export-cache", f"{cache},mode=max,image-manifest=true", "--import-cache", cache,
            env={"DOCKER_CONFIG": str(person.home / "crane")})

    build(writer).ok()
    # What is in no local cache any more comes from the registry's.
    writer.run(control, "--addr", daemon.address, "prune", "--all").ok()
    again = build(writer, tag="v2").ok().text
    assert re.search(r"^#\d+ CACHED$", again, re.MULTILINE), again
    manifests = [reader.raw()("GET", f"/v2/built/manifests/{tag}", headers={"Accept": "*/*"}).expect(200).json for tag in ("v1", "v2")]
    assert manifests[0]["layers" if "layers" in manifests[0] else "manifests"]
    # Whichever is first: the image or the cache.
    build(reader, tag="mine").failed(f"{reader.arn} is not authorized to perform: ecr:")


def test_buildx_with_a_cache_in_the_registry(writer, reader, tmp_path):
    """Two platforms at once, with the cache beside them: both are indexes."""
    control, buildx = clients.slow_tool("buildctl"), clients.slow_tool("buildx")
    daemon = engines.buildkitd(clients.slow_tool("buildkitd"), control, writer.registry)
    context = images.context(tmp_path / "context", "made by buildx")

    def run(person, *arguments):
        person.crane.login()
        env = {"DOCKER_CONFIG": str(person.home / "crane"), "BUILDX_CONFIG": str(person.home / "buildx")}
        return person.run(buildx, *arguments, env=env)

    def build(person, *more, tag="v1"):
        cache = f"type=registry,ref={person.image('buildx-cache')}:main"
        return run(person, "build", "--builder", "engine", "--progress", "plain", "--platform", "linux/amd64,linux/arm64",
                   "--tag", person.image(f"buildx:{tag}"), "--push", "--cache-from", cache, *more, context)

    to_cache = ("--cache-to", f"type=registry,ref={writer.image('buildx-cache')}:main,mode=max")
    for person in (writer, reader):
        run(person, "create", "--name", "engine", "--driver", "remote", daemon.address).ok()
    build(writer, *to_cache).ok()
    # What is in no local cache any more comes from the registry's.
    writer.run(control, "--addr", daemon.address, "prune", "--all").ok()
    again = build(writer, tag="v2").ok().text
    assert re.search(r"^#\d+ CACHED$", again, re.MULTILINE), again
    index = reader.raw()("GET", "/v2/buildx/manifests/v2", headers={"Accept": "*/*"}).expect(200).json
    platforms = {one["platform"]["architecture"] for one in index["manifests"]}
    assert {"amd64", "arm64"} <= platforms
    shown = json.loads(run(reader, "imagetools", "inspect", "--raw", reader.image("buildx:v2")).ok().out)
    assert shown == index
    build(reader, tag="mine").failed(f"{reader.arn} is not authorized to perform: ecr:")
