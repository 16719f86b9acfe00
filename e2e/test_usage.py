"""Usage: what docker pushed and pulled is counted by repository, principal and day, over a restart and with prices."""

import csv
import io
import json

import pytest

from berth import images
from berth.policies import allow, policy, pull_only, push_and_pull
from berth.service import berth_command


def usage(person, *options):
    lines = berth_command(person, "usage", *options, "--output", "json").ok().out.splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def people(root, tmp_path_factory):
    """alice pushed one image to two repositories, and bob pulled one of them twice."""
    for name in ("one", "two"):
        root.create_repository(name)
    alice = root.create_user("alice", policy(*push_and_pull("one", "two"), allow("berth:*", "*")))
    bob = root.create_user("bob", policy(*pull_only("one", "two")))
    alice.docker.login()
    context = images.context(tmp_path_factory.mktemp("build") / "image", "usage")
    for name in ("one", "two"):
        alice.docker("build", "--quiet", "--tag", alice.image(f"{name}:v1"), context).ok()
        alice.docker.push(f"{name}:v1").ok()
    bob.crane.login()
    for turn in ("first", "second"):
        bob.crane("pull", bob.image("one:v1"), tmp_path_factory.mktemp("pull") / turn).ok()
    return alice, bob


def test_shared_layers_count_once_in_the_account(people, root):
    alice, bob = people
    one, two, account = usage(alice)
    assert (one["repository"], two["repository"]) == ("one", "two")
    assert account["repository"] == f"account {root.account}"
    assert one["storedBytes"] == one["sharedBytes"] == two["sharedBytes"] == account["storedBytes"] > 0
    assert (one["pulls"], two["pulls"]) == (2, 0) and one["pushes"] >= 1
    by = {line["principal"]: line for line in usage(alice, "--by", "principal")}
    assert by[bob.arn]["sentBytes"] == one["sentBytes"] >= 2 * one["storedBytes"] * 0.9
    assert by[bob.arn]["receivedBytes"] == 0 and by[alice.arn]["receivedBytes"] > 0
    layers = root.ecr.describe_images(repositoryName="one")["imageDetails"][0]["imageSizeInBytes"]
    assert one["storedBytes"] > layers


def test_tables_and_prices(people, root):
    alice, _ = people
    account = usage(alice, "--price-storage", "0.10", "--price-transfer", "0.09")[-1]
    gib = 2 ** 30
    assert abs(account["storageCost"] - account["storedBytes"] / gib / 30 * 0.10) < 1e-9, "stored for one day so far"
    assert abs(account["transferCost"] - account["sentBytes"] / gib * 0.09) < 1e-9
    rows = list(csv.DictReader(io.StringIO(berth_command(alice, "usage", "--output", "csv").ok().out)))
    assert [row["repository"] for row in rows][:2] == ["one", "two"]
    assert int(rows[0]["storedBytes"]) == usage(alice)[0]["storedBytes"]
    text = berth_command(alice, "usage", "--by", "day").ok().out.splitlines()
    assert text[0].split()[:2] == ["day", "images"] and len(text) == 32
    berth_command(alice, "usage", "--start", "2026-01-02", "--end", "2026-01-01").failed("startDate")
    berth_command(alice, "usage", "--price-storage=-1").failed("--price-storage")
    nobody = root.create_user("nobody", policy(allow("ecr:*", "*")))
    berth_command(nobody, "usage").failed("berth:ListRepositoryUsage")


def test_pulls_are_listed_by_principal(people, monkeypatch):
    from berth.service import MODEL
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    alice, bob = people
    client = alice.boto("berth")
    pulls = client.list_image_pulls(repositoryName="one")["pulls"]
    assert [(each["principalArn"], each["pullCount"]) for each in pulls] == [(bob.arn, 2)]
    activity = client.batch_get_image_activity(repositoryName="one", imageDigests=[pulls[0]["imageDigest"]])["images"][0]
    assert (activity["pushedBy"], activity["lastPulledBy"], activity["pullCount"]) == (alice.arn, bob.arn, 2)
