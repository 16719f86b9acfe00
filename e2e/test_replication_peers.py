"""Replication to another Berth over the network: cuts, slow and lying wires, and what is never visible."""

import json
import re
import time

import pytest

from berth import images
from berth.audit import events
from berth.people import failing
from berth.policies import allow, policy
from berth.server import Server
from berth.service import MODEL
from berth.wires import Network, Wire

#: The registry of the other server.
ACCOUNT, REGION = "444455556666", "eu-west-1"
#: Jobs run within seconds, and what failed is tried again within a minute. The bound only ends a test that fails.
WITHIN_S = 150
#: What the access key's user may do at the peer (docs/how-to/replicate-images.md).
NEEDED = policy(
    allow("ecr:GetAuthorizationToken", "*"),
    allow(["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
           "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
           "ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:CreateRepository", "ecr:BatchDeleteImage"],
          f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"))


@pytest.fixture(scope="module", autouse=True)
def model(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("here"), "--outbound-allow", "127.0.0.0/8",
                "--outbound-allow", "198.18.0.0/15") as server:
        yield server.root


@pytest.fixture(scope="module")
def wire():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def there(tmp_path_factory, wire):
    with Server(tmp_path_factory.mktemp("there"), "--public-url", wire.url, account=ACCOUNT, region=REGION) as server:
        host, port = server.registry.split(":")
        wire.to = (host, int(port))
        yield server.root


@pytest.fixture(scope="module")
def key(there):
    return there.create_user("replicator", NEEDED).credentials


@pytest.fixture(autouse=True)
def straight(wire):
    """Each story begins with a good wire."""
    wire.cut_after = wire.bytes_per_s = wire.change = wire.change_answer = None


def put_peer(here, key, url, region=REGION, **more):
    return here.boto("berth").put_replication_peer(
        region=region, registryId=ACCOUNT, endpoint=url, accessKeyId=key.access_key_id,
        secretAccessKey=key.secret_access_key, **more)["replicationPeer"]


def configure(here, prefix, delete=False, also=()):
    rule = {"destinations": [{"region": REGION, "registryId": ACCOUNT}, *also],
            "repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}]}
    if delete:
        rule["deleteReplication"] = {"enabled": True}
    here.ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})


def eventually(look):
    """What `look` answers once it is true."""
    end = time.monotonic() + WITHIN_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"still {found!r}"
        time.sleep(0.2)


def status_now(here, name, digest):
    found = here.ecr.describe_image_replication_status(repositoryName=name, imageId={"imageDigest": digest})
    return {one["region"]: one for one in found["replicationStatuses"]}


def status(here, name, digest, region=REGION):
    """The status at a destination, once the image is not in progress."""
    def over():
        found = status_now(here, name, digest)[region]
        return found if found["status"] != "IN_PROGRESS" else None
    return eventually(over)


def tags_there(there, name):
    ecr = there.ecr
    try:
        shown = ecr.describe_images(repositoryName=name)["imageDetails"]
    except ecr.exceptions.RepositoryNotFoundException:
        return {}
    return {image["imageDigest"]: sorted(image.get("imageTags", [])) for image in shown}


def push(here, name, tag, layer_bytes=1024):
    image = images.Image(layer_bytes)
    here.raw().push(name, tag, image).expect(201)
    return image


def test_a_push_here_is_pulled_there(here, there, key, wire, tmp_path):
    peer = put_peer(here, key, wire.url)
    assert peer["peerArn"] == f"arn:aws:berth:us-east-1:{here.account}:replication-peer/{ACCOUNT}/{REGION}"
    configure(here, "prod", delete=True)
    here.create_repository("prod/app")
    layout = images.umoci_layout(tmp_path / "image", "over the network")
    here.skopeo.login()
    for tag in ("v1", "v2"):
        here.skopeo.push(layout, f"prod/app:{tag}").ok()
    pushed = eventually(lambda: tags_there(there, "prod/app") == {
        image["imageDigest"]: sorted(image["imageTags"])
        for image in here.ecr.describe_images(repositoryName="prod/app")["imageDetails"]})
    assert pushed
    digest = next(iter(tags_there(there, "prod/app")))
    assert status(here, "prod/app", digest)["status"] == "COMPLETE"
    there.skopeo.login()
    there.skopeo.pull("prod/app:v1", f"oci:{tmp_path / 'pulled'}:v1").ok()
    told = events(here.server, eventName="ReplicateImage")
    assert told[-1]["serviceEventDetails"]["destinationRegistryId"] == ACCOUNT
    shown = here.boto("berth").describe_replication_peers()["replicationPeers"]
    assert [(one["endpoint"], one["waitingCount"]) for one in shown] == [(wire.url, 0)]
    assert "lastSuccessAt" in shown[0] and "lastFailure" not in shown[0]
    # A deletion follows: a tag of two, then the image.
    here.ecr.batch_delete_image(repositoryName="prod/app", imageIds=[{"imageTag": "v1"}])
    eventually(lambda: tags_there(there, "prod/app") == {digest: ["v2"]})
    here.ecr.batch_delete_image(repositoryName="prod/app", imageIds=[{"imageTag": "v2"}])
    eventually(lambda: tags_there(there, "prod/app") == {})


def test_lists_come_with_their_images(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "list")
    here.create_repository("list/app")
    child = images.Image()
    here.raw().push("list/app", child.digest, child).expect(201)
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
        images.descriptor(images.OCI_MANIFEST, child.manifest)]}).encode()
    here.raw().put_manifest("list/app", "v1", index, images.OCI_INDEX).expect(201)
    assert status(here, "list/app", images.digest(index))["status"] == "COMPLETE"
    assert tags_there(there, "list/app") == {images.digest(index): ["v1"], child.digest: []}
    # Each tag that a filter names.
    berth = here.boto("berth")
    destination = {"region": REGION, "registryId": ACCOUNT}
    berth.put_replication_tag_filter(**destination, tagPatternList=["prod-*"])
    assert berth.describe_replication_tag_filters()["tagFilters"] == [destination | {"tagPatternList": ["prod-*"]}]
    kept, left = push(here, "list/app", "prod-1"), push(here, "list/app", "dev-1")
    assert status(here, "list/app", kept.digest)["status"] == "COMPLETE"
    assert status_now(here, "list/app", left.digest) == {}
    assert left.digest not in tags_there(there, "list/app")
    berth.put_replication_tag_filter(**destination, tagPatternList=[])


def test_a_cut_in_a_layer_is_resumed(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "cut")
    here.create_repository("cut/app")
    wire.sent, cuts = 0, wire.cuts
    wire.cut_after = 3_000_000
    image = push(here, "cut/app", "v1", layer_bytes=8_000_000)
    assert status(here, "cut/app", image.digest)["status"] == "COMPLETE"
    assert wire.cuts == cuts + 1, "the wire was cut"
    assert tags_there(there, "cut/app") == {image.digest: ["v1"]}
    there.raw().pull("cut/app", image)
    # What is there is not sent again.
    sent = wire.sent
    again = json.loads(image.manifest) | {"annotations": {"again": "yes"}}
    again = json.dumps(again).encode()
    here.raw().put_manifest("cut/app", "v2", again).expect(201)
    assert status(here, "cut/app", images.digest(again))["status"] == "COMPLETE"
    assert wire.sent - sent < 1_000_000


def test_the_peer_dies_in_the_middle_and_comes_back(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "dies")
    here.create_repository("dies/app")
    wire.bytes_per_s, sent = 2_000_000, wire.sent
    image = push(here, "dies/app", "v1", layer_bytes=12_000_000)
    eventually(lambda: wire.sent - sent > 1_000_000)
    there.server.kill()
    berth = here.boto("berth")
    eventually(lambda: "lastFailure" in berth.describe_replication_peers()["replicationPeers"][0])
    assert status_now(here, "dies/app", image.digest)[REGION]["status"] == "IN_PROGRESS"
    wire.bytes_per_s = None
    there.server.start()
    assert image.digest not in tags_there(there, "dies/app")
    assert status(here, "dies/app", image.digest)["status"] == "COMPLETE"
    assert tags_there(there, "dies/app") == {image.digest: ["v1"]}


def test_bytes_that_change_on_the_way_are_never_visible(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "lies")
    here.create_repository("lies/app")
    image = images.Image(200_000)
    # The last bit of what comes at once, where it is a layer's.
    wire.change = lambda chunk: chunk[:-1] + bytes([chunk[-1] ^ 1]) if len(chunk) > 10_000 else chunk
    here.raw().push("lies/app", "v1", image).expect(201)
    failed = status(here, "lies/app", image.digest)
    assert (failed["status"], failed["failureCode"]) == ("FAILED", "DigestMismatch")
    assert tags_there(there, "lies/app") == {}


def test_a_peer_that_answers_another_digest_fails(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "false")
    here.create_repository("false/app")
    named = re.compile(rb"(?i)(docker-content-digest: sha256:)[0-9a-f]{64}")
    wire.change_answer = lambda chunk: named.sub(rb"\g<1>" + b"0" * 64, chunk)
    image = push(here, "false/app", "v1")
    failed = status(here, "false/app", image.digest)
    assert (failed["status"], failed["failureCode"]) == ("FAILED", "InvalidDestinationAnswer")
    assert not any(tags_there(there, "false/app").values()), "no tag names it"
    told = events(here.server, eventName="ReplicateImage",
                  where=lambda event: event["serviceEventDetails"]["repositoryName"] == "false/app")
    assert "0" * 64 in told[0]["serviceEventDetails"]["failureReason"]


def test_a_slow_peer_holds_up_no_other_destination(here, there, key, wire):
    put_peer(here, key, wire.url)
    also = {"region": "us-west-2", "registryId": here.account}
    configure(here, "slow", also=[also])
    here.create_repository("slow/app")
    wire.bytes_per_s = 500_000
    image = push(here, "slow/app", "v1", layer_bytes=6_000_000)
    assert status(here, "slow/app", image.digest, region="us-west-2")["status"] == "COMPLETE"
    assert status_now(here, "slow/app", image.digest)[REGION]["status"] == "IN_PROGRESS"
    assert status(here, "slow/app", image.digest)["status"] == "COMPLETE"


def test_pulls_there_count_here(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "pulled")
    here.create_repository("pulled/app")
    image = push(here, "pulled/app", "v1")
    assert status(here, "pulled/app", image.digest)["status"] == "COMPLETE"
    there.raw().pull("pulled/app", image)

    def pulled(person):
        shown = person.ecr.describe_images(repositoryName="pulled/app")["imageDetails"]
        return next(one for one in shown if one["imageDigest"] == image.digest).get("lastRecordedPullTime")
    assert pulled(here) is None
    at = eventually(lambda: pulled(there))
    # The job reads them each quarter of an hour, and when a peer is put.
    put_peer(here, key, wire.url)
    eventually(lambda: pulled(here))
    assert pulled(here) == at


def lose(server, content):
    """Removes the stored file with these bytes."""
    files = (server.data / "blobs" / "blobs").rglob("*")
    next(file for file in files if file.is_file() and file.read_bytes() == content).unlink()


def test_what_is_damaged_here_comes_back_from_there(here, there, key, wire):
    put_peer(here, key, wire.url)
    configure(here, "kept")
    here.create_repository("kept/app")
    image = push(here, "kept/app", "v1", layer_bytes=200_000)
    assert status(here, "kept/app", image.digest)["status"] == "COMPLETE"
    blob = f"/v2/kept/app/blobs/{images.digest(image.layer)}"

    # A wire that changes bytes heals nothing.
    changed = []

    def change(chunk):
        if (part := image.layer[5000:5016]) in chunk:
            changed.append(part)
        return chunk.replace(part, bytes(len(part)))
    wire.change_answer = change
    lose(here.server, image.layer)
    here.raw()("GET", blob).expect(410)
    eventually(lambda: changed)
    here.raw()("GET", blob).expect(410)
    wire.change_answer = None
    # A peer that is put is asked at once.
    put_peer(here, key, wire.url)
    eventually(lambda: here.raw()("GET", blob).status == 200)
    here.raw().pull("kept/app", image)
    told = eventually(lambda: events(here.server, eventName="HealDamagedLayer"))
    assert [one["serviceEventDetails"] for one in told] == [{"digest": images.digest(image.layer), "peer": wire.url}]

    # The layer is not there either: it waits for a push.
    orphan = push(here, "kept/app", "v2", layer_bytes=150_000)
    assert status(here, "kept/app", orphan.digest)["status"] == "COMPLETE"
    there.ecr.batch_delete_image(repositoryName="kept/app", imageIds=[{"imageDigest": orphan.digest}])
    there.raw()("DELETE", f"/v2/kept/app/blobs/{images.digest(orphan.layer)}").expect(202)
    lose(here.server, orphan.layer)
    here.raw()("GET", f"/v2/kept/app/blobs/{images.digest(orphan.layer)}").expect(410)
    here.raw().push("kept/app", "v2", orphan).expect(201)
    here.raw().pull("kept/app", orphan)


def test_what_may_not_be_done(here, there, key, wire):
    berth = here.boto("berth")
    put_peer(here, key, wire.url)
    configure(here, "prod")
    destination = {"region": REGION, "registryId": ACCOUNT}
    failing(berth.delete_replication_peer, "ReplicationPeerInUseException", **destination)
    failing(berth.delete_replication_peer, "ReplicationPeerNotFoundException", region="ap-south-1", registryId=ACCOUNT)
    for wrong in ("http://10.0.0.1:5000", "ftp://127.0.0.1", "http://127.0.0.1/path"):
        assert "endpoint" in failing(berth.put_replication_peer, "InvalidParameterException", **destination,
                                     endpoint=wrong, accessKeyId=key.access_key_id,
                                     secretAccessKey=key.secret_access_key)["Message"]
    # The secret goes with its key and its place.
    same = {"endpoint": wire.url, "accessKeyId": key.access_key_id}
    berth.put_replication_peer(**destination, **same)
    failing(berth.put_replication_peer, "InvalidParameterException", **destination,
            **same | {"endpoint": "http://127.0.0.1:1"})
    failing(here.create_user("nobody").boto("berth").put_replication_peer, "AccessDeniedException",
            **destination, **same)
    # A region that only the peer can know.
    failing(here.ecr.put_replication_configuration, "InvalidParameterException", replicationConfiguration={
        "rules": [{"destinations": [{"region": "cn-north-1", "registryId": ACCOUNT}]}]})
    put_peer(here, key, wire.url, region="cn-north-1")
    here.ecr.put_replication_configuration(replicationConfiguration={
        "rules": [{"destinations": [{"region": "cn-north-1", "registryId": ACCOUNT}]}]})
    here.ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    berth.delete_replication_peer(region="cn-north-1", registryId=ACCOUNT)
    # Nowhere is the secret shown.
    assert key.secret_access_key not in json.dumps(berth.describe_replication_peers(), default=str)
    for file in (here.server.data / "audit").iterdir():
        assert key.secret_access_key not in file.read_text()
    assert key.secret_access_key not in here.server.words()


def test_a_key_that_may_not_push_is_denied(here, there, wire):
    stranger = there.create_user("stranger", policy(allow("ecr:GetAuthorizationToken", "*"))).credentials
    put_peer(here, stranger, wire.url)
    configure(here, "denied")
    here.create_repository("denied/app")
    image = push(here, "denied/app", "v1")
    failed = status(here, "denied/app", image.digest)
    assert (failed["status"], failed["failureCode"]) == ("FAILED", "AccessDenied")
    assert tags_there(there, "denied/app") == {}


class InNetwork(Server):
    """A server in a network of its own."""

    def __init__(self, network, *arguments, **more):
        super().__init__(*arguments, listen=f"{network.there}:0", **more)
        self._network = network

    def _argv(self, *command):
        inside = ("ip", "netns", "exec", self._network.name) if command[0] == "serve" else ()
        return [*inside, *super()._argv(*command)]


def test_a_cable_that_is_pulled_in_the_middle_of_a_layer(here, tmp_path):
    with Network() as network, InNetwork(network, tmp_path / "far", account=ACCOUNT, region=REGION) as far:
        root = far.root
        key = root.create_user("replicator", NEEDED).credentials
        put_peer(here, key, far.url)
        configure(here, "cable")
        here.create_repository("cable/app")
        network.slow("8mbit")
        image = push(here, "cable/app", "v1", layer_bytes=10_000_000)

        def arriving():
            return any(file.stat().st_size > 1_000_000 for file in far.data.glob("**/uploads/*"))
        eventually(arriving)
        network.unplug()
        berth = here.boto("berth")
        failure = eventually(lambda: berth.describe_replication_peers()["replicationPeers"][0].get("lastFailure"))
        assert failure
        assert status_now(here, "cable/app", image.digest)[REGION]["status"] == "IN_PROGRESS"
        network.plug()
        network.fast()
        assert status(here, "cable/app", image.digest)["status"] == "COMPLETE"
        assert tags_there(root, "cable/app") == {image.digest: ["v1"]}
