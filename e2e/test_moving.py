"""`berth bundle` and `berth import registry`: images cross an air gap, and come from other registries."""

import json
import signal
import subprocess
import tarfile

import pytest

from berth import images
from berth.images import Image
from berth.peers import PASSWORD, USER, Distribution
from berth.policies import allow, policy
from berth.raw import Raw
from berth.server import Server, binary

SIGNATURE = "application/vnd.example.signature"


def fill(raw):
    """`team/app` with two tags, two platforms under a third and a signature; `web` with a layer of `team/app`."""
    one, two, web = Image(), Image(), Image()
    for tag, image in (("v1", one), ("v2", two)):
        raw.push("team/app", tag, image).expect(201)
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
        images.descriptor(images.OCI_MANIFEST, image.manifest, platform={"os": "linux", "architecture": architecture})
        for image, architecture in ((one, "amd64"), (two, "arm64"))]}).encode()
    raw.put_manifest("team/app", "all", index, images.OCI_INDEX).expect(201)
    signature = Image(artifactType=SIGNATURE, subject=images.descriptor(images.OCI_MANIFEST, one.manifest))
    raw.push("team/app", signature.digest, signature).expect(201)
    web.layer, web.config = one.layer, one.config
    web.manifest = json.dumps(json.loads(one.manifest) | {"annotations": {"web": "yes"}}).encode()
    raw.push("web", "v1", web).expect(201)
    return one


def tags(raw):
    """The digest of each tag."""
    found = {}
    for repository in ("team/app", "web"):
        listed = raw("GET", f"/v2/{repository}/tags/list").expect(200).json["tags"]
        for tag in listed:
            accept = {"Accept": f"{images.OCI_MANIFEST}, {images.OCI_INDEX}"}
            answer = raw("HEAD", f"/v2/{repository}/manifests/{tag}", headers=accept).expect(200)
            found[f"{repository}:{tag}"] = answer["Docker-Content-Digest"]
    return found


def referrers(raw, image):
    answer = raw("GET", f"/v2/team/app/referrers/{image.digest}").expect(200)
    return [entry["artifactType"] for entry in answer.json["manifests"]]


@pytest.fixture(scope="module")
def source(root):
    """A server with images; the image that is signed."""
    for repository in ("team/app", "web"):
        root.create_repository(repository)
    root.signed = fill(root.raw())
    return root


@pytest.fixture
def new(tmp_path):
    """The root user of an empty server."""
    with Server(tmp_path / "new") as server:
        yield server.root


def moved(person, *arguments, **more):
    return person.run(binary(), *arguments, **more)


def states(outcome):
    return [json.loads(line) for line in outcome.out.splitlines()]


@pytest.mark.parametrize("name", ["bundle", "bundle.tar"])
def test_a_bundle_brings_every_image_and_its_signature(source, new, tmp_path, name):
    bundle = tmp_path / name
    written = moved(source, "bundle", "export", bundle, "team/app", "web").ok()
    assert "finished: 5 images and artifacts" in written.out
    check = moved(new, "bundle", "import", bundle, "--dry-run")
    check.failed("blobs have their digests", "5 to copy")
    assert new.ecr.describe_repositories()["repositories"] == []
    assert "5 copied" in moved(new, "bundle", "import", bundle).ok().out.splitlines()[-1]
    raw = new.raw()
    assert tags(raw) == tags(source.raw())
    assert referrers(raw, source.signed) == [SIGNATURE]
    raw.pull("team/app", source.signed)
    again = moved(new, "bundle", "import", bundle, "--output", "json").ok()
    assert states(again)[-1] == {"equal": 5, "copied": 0, "pending": 0, "different": 0, "failed": 0}


def test_other_programs_read_a_bundle(source, new, tmp_path):
    folder, file = tmp_path / "bundle", tmp_path / "bundle.tar"
    for bundle in (folder, file):
        moved(source, "bundle", "export", bundle, "team/app:all", "web:v1").ok()
    new.create_repository("copy")
    new.skopeo.login()
    new.skopeo("copy", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci:{folder}:team/app:all",
               f"docker://{new.image('copy:all')}").ok()
    new.skopeo("copy", "--preserve-digests", "--dest-tls-verify=false", f"oci-archive:{file}:web:v1",
               f"docker://{new.image('copy:web')}").ok()
    wanted = tags(source.raw())
    found = {image["imageTag"]: image["imageDigest"] for image in new.ecr.list_images(repositoryName="copy")["imageIds"] if "imageTag" in image}
    assert found == {"all": wanted["team/app:all"], "web": wanted["web:v1"]}
    new.crane.login()
    single = tmp_path / "single"
    moved(source, "bundle", "export", single, "web:v1").ok()
    new.crane("push", single, new.image("copy:crane")).ok()
    assert new.crane("digest", new.image("copy:crane")).out.strip() == wanted["web:v1"]


def test_a_layout_of_another_program_is_imported(source, new, tmp_path):
    source.skopeo.login()
    layout = tmp_path / "layout"
    source.skopeo.pull("team/app:all", f"oci:{layout}:v7", "--all").ok()
    moved(new, "bundle", "import", layout).failed("add --repository NAME")
    moved(new, "bundle", "import", layout, "--repository", "other/app").ok()
    found = new.ecr.describe_images(repositoryName="other/app", imageIds=[{"imageTag": "v7"}])["imageDetails"]
    assert found[0]["imageDigest"] == tags(source.raw())["team/app:all"]


def test_a_bundle_since_another_one_has_only_what_is_new(source, new, tmp_path):
    first, second = tmp_path / "first.tar", tmp_path / "second"
    moved(source, "bundle", "export", first, "team/app:v1").ok()
    written = moved(source, "bundle", "export", second, "team/app:v1", "team/app:v2", "web:v1", "--since", first).ok()
    assert "in 6 blobs" in written.out and "4 blobs with" in written.out and "left out" in written.out
    lacking = moved(new, "bundle", "import", second)
    lacking.failed(f"{images.digest(source.signed.layer)} was left out of the bundle, and the target does not have it")
    assert "copied      team/app:v2" in lacking.text
    moved(new, "bundle", "import", first).ok()
    assert "failed" not in moved(new, "bundle", "import", second).ok().out.splitlines()[:-1]
    wanted = tags(source.raw())
    del wanted["team/app:all"]
    assert tags(new.raw()) == wanted


def test_a_bundle_that_was_tampered_with_is_refused(source, new, tmp_path):
    bundle = tmp_path / "bundle"
    moved(source, "bundle", "export", bundle, "team/app:v1").ok()
    digest = images.digest(source.signed.layer)
    blob = bundle / "blobs/sha256" / digest.removeprefix("sha256:")
    good = blob.read_bytes()
    blob.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    moved(new, "bundle", "import", bundle, "--dry-run").failed(digest, "another digest")
    moved(new, "bundle", "import", bundle).failed(digest, "another digest")
    assert tags_of(new, "team/app") == {}

    secret = tmp_path / "secret"
    secret.write_bytes(good)
    blob.unlink()
    blob.symlink_to(secret)
    moved(new, "bundle", "import", bundle).failed("leads through a link")
    archive = tmp_path / "evil.tar"
    for member in ("../../evil", "/evil"):
        with tarfile.open(archive, "w") as file:
            file.addfile(tarfile.TarInfo(member))
        moved(new, "bundle", "import", archive).failed("would be outside")
    with tarfile.open(archive, "w") as file:
        file.add(blob, arcname="index.json")
    moved(new, "bundle", "import", archive).failed("is a link or a special file")
    index = bundle / "index.json"
    index.write_text(index.read_text().replace("v1", "v3"))
    moved(new, "bundle", "import", bundle).failed("index.json is not the one")
    assert tags_of(new, "team/app") == {}


def test_iam_decides_what_may_be_moved(source, new, tmp_path):
    bundle = tmp_path / "bundle"
    reader = source.create_user("reader", policy(
        allow("ecr:GetAuthorizationToken", "*"),
        allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages", "ecr:DescribeRepositories"], source.repository_arn("web"))))
    moved(reader, "bundle", "export", bundle, "web", "team/app").failed("web:v1", "is not authorized to perform: ecr:ListImages", "not finished")
    moved(reader, "bundle", "import", bundle).failed("not finished")
    moved(reader, "bundle", "export", bundle, "web").ok()
    nobody = new.create_user("nobody", policy(allow("ecr:GetAuthorizationToken", "*"), allow("ecr:DescribeRepositories", "*")))
    moved(nobody, "bundle", "import", bundle).failed("is not authorized to perform: ecr:CreateRepository")
    assert new.ecr.describe_repositories()["repositories"] == []


def killed_after_a_line(person, *arguments):
    """Runs the command, and kills it when it has said that an image is through."""
    with subprocess.Popen([binary(), *map(str, arguments)], env=person.environment, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        line = process.stdout.readline().decode()
        process.send_signal(signal.SIGKILL)
    return line


@pytest.mark.parametrize("name", ["bundle", "bundle.tar"])
def test_what_was_killed_goes_on(root, new, tmp_path, name):
    repository = f"many-{name}"
    root.create_repository(repository)
    raw = root.raw()
    for number in range(8):
        raw.push(repository, f"v{number}", Image(layer_bytes=256 << 10)).expect(201)
    bundle = tmp_path / name
    export = ("bundle", "export", bundle, repository, "--concurrency", "1")
    assert killed_after_a_line(root, *export).startswith("copied")
    moved(new, "bundle", "import", bundle).failed()
    assert "finished: 8 images" in moved(root, *export).ok().out
    load = ("bundle", "import", bundle, "--concurrency", "1")
    assert killed_after_a_line(new, *load).startswith("copied")
    totals = states(moved(new, *load, "--output", "json").ok())[-1]
    assert totals["equal"] >= 1 and totals["equal"] + totals["copied"] == 8, totals
    assert "8 equal, 0 copied" in moved(new, *load).ok().out


@pytest.fixture(scope="module")
def peer(tmp_path_factory):
    """A filled registry of another maker, which then stopped."""
    with Distribution(tmp_path_factory.mktemp("peer")) as peer:
        peer.signed = fill(Raw(peer, USER, PASSWORD))
        peer.tags = tags(Raw(peer, USER, PASSWORD))
    return peer


def test_another_registry_is_copied_and_compared(peer, new):
    with peer:
        source = ("import", "registry", peer.url, "--source-user", USER, "--source-password-file", peer.password_file)
        moved(new, "import", "registry", peer.url).failed("unauthorized")
        check = moved(new, *source, "--dry-run")
        check.failed("would copy  team/app:v1", "4 to copy")
        assert new.ecr.describe_repositories()["repositories"] == []
        moved(new, *source).ok()
        assert tags(new.raw()) == peer.tags
        assert "4 equal, 0 copied" in moved(new, *source, "--dry-run").ok().out
        # docker's own login is used, and a tag that moved at the source moves here.
        docker = new.home / "docker-config"
        docker.mkdir()
        new.run("skopeo", "login", "--tls-verify=false", "--username", USER, "--password-stdin", peer.registry,
                "--authfile", docker / "config.json", input=PASSWORD).ok()
        Raw(peer, USER, PASSWORD).push("web", "v1", Image()).expect(201)
        login = {"DOCKER_CONFIG": str(docker)}
        changed = moved(new, "import", "registry", peer.url, "web", "--dry-run", env=login)
        changed.failed("would move  web:v1", f"(the target has {peer.tags['web:v1']})")
        assert "1 copied" in moved(new, "import", "registry", peer.url, "web", "--prefix", "old", env=login).ok().out
        assert moved(new, "import", "registry", peer.url, "web:v9", env=login).failed("the source has no manifest v9")


def test_the_folder_of_a_stopped_registry_is_copied(peer, new, tmp_path):
    moved(new, "import", "registry", peer.store, "team/app").ok()
    found = tags_of(new, "team/app")
    assert found == {tag: digest for tag, digest in peer.tags.items() if tag.startswith("team/app")}
    assert referrers(new.raw(), peer.signed) == [SIGNATURE]
    moved(new, "import", "registry", tmp_path / "new").failed("is no store of a registry")


def tags_of(person, repository):
    images_ = person.ecr.list_images(repositoryName=repository)["imageIds"]
    return {f"{repository}:{image['imageTag']}": image["imageDigest"] for image in images_ if "imageTag" in image}


def test_ecr_is_copied_through_its_api(source, new, tmp_path):
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    (tmp_path / "config").write_text(f"[profile old]\nregion = {source.server.region}\nendpoint_url = {source.server.url}\n")
    (tmp_path / "credentials").write_text(f"[old]\naws_access_key_id = {source.credentials.access_key_id}\n"
                                          f"aws_secret_access_key = {source.credentials.secret_access_key}\n")
    command = ("import", "registry", "ecr", "team/app", "web", "--source-profile", "old", "--untagged")
    moved(new, *command, env=files).ok()
    assert tags(new.raw()) == tags(source.raw())
    assert referrers(new.raw(), source.signed) == [SIGNATURE]
    assert " 0 copied" in moved(new, *command, env=files).ok().out
    moved(new, "import", "registry", "ecr", "--source-profile", "none", env=files).failed("no profile `none`")
