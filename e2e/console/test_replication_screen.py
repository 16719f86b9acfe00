"""Replication in the console: rules as a form and as JSON, edits by others, and what became of an image that docker pushed."""

import json

import pytest

from berth.browser import expect
from berth.console import button, field, go_to
from berth.images import Image
from berth.policies import allow, policy
from berth.server import Server

THERE = "eu-west-1"
#: The other server's account and region.
PARTNER, FAR = "444455556666", "eu-central-1"
#: What a peer's user may do there.
RECEIVES = ("ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
            "ecr:PutImage", "ecr:BatchGetImage", "ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:CreateRepository",
            "ecr:BatchDeleteImage")


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    """A server that may call this machine."""
    with Server(tmp_path_factory.mktemp("replication-screen"), "--outbound-allow", "127.0.0.1/32") as server:
        yield server


@pytest.fixture
def page(browser, root):
    page = browser.page().sign_in(root)
    yield page
    page.check()


def rules(root):
    return root.ecr.describe_registry()["replicationConfiguration"]["rules"]


def digests(root, repository):
    ecr = root.boto("ecr", region_name=THERE)
    try:
        return [one["imageDigest"] for one in ecr.describe_images(repositoryName=repository)["imageDetails"]]
    except ecr.exceptions.RepositoryNotFoundException:
        return []


def test_a_rule_is_made_and_a_push_is_replicated(hands, root):
    page, prefix = hands.page, hands.named("prod")
    root.ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    go_to(hands, "Replication")
    page.get_by_text("There are no rules: nothing is replicated.").wait_for()
    hands.press(button(page, "Add rule"))
    hands.write(field(page, "Region of destination 1 of rule 1"), "Europe")
    hands.write(field(page, "Prefixes of repository names of rule 1"), prefix)
    hands.press(button(page, "Save rules"))
    page.get_by_text("A region has 2 to 25 lower-case letters").wait_for()
    assert rules(root) == []
    hands.write(field(page, "Region of destination 1 of rule 1"), THERE)
    hands.check(page.get_by_role("checkbox", name="Repeat deletions"))
    page.axe()
    hands.press(button(page, "Save rules"))
    page.get_by_text("The rules are saved.").first.wait_for()
    made = [{"destinations": [{"region": THERE, "registryId": root.account}],
             "repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}], "deleteReplication": {"enabled": True}}]
    assert rules(root) == made

    name = f"{prefix}/app"
    root.create_repository(name)
    root.docker.login()
    root.docker.build(f"{name}:v1")
    root.docker.push(f"{name}:v1").ok()
    [image] = root.ecr.describe_images(repositoryName=name)["imageDetails"]
    page.open(f"/repositories/{name}?tab=images&image={image['imageDigest']}")
    row = page.get_by_role("row").filter(has_text=THERE)
    row.get_by_text("Complete").wait_for()
    page.axe()
    assert digests(root, name) == [image["imageDigest"]]

    go_to(hands, "Replication")
    hands.press(button(page, "End replication"))
    hands.press(button(page.get_by_role("dialog"), "End replication"))
    page.get_by_text("There are no rules: nothing is replicated.").wait_for()
    assert rules(root) == []
    # What is pushed now stays here.
    root.raw().push(name, "v2", Image())
    page.open(f"/repositories/{name}")
    page.get_by_text("v2").first.wait_for()
    assert digests(root, name) == [image["imageDigest"]]


def test_the_form_and_the_json_are_one_document_and_others_edits_are_kept(page, root):
    root.ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    page.open("/replication")
    button(page, "Add rule").click()
    field(page, "Region of destination 1 of rule 1").fill(THERE)
    button(page, "JSON").click()
    document = json.loads(page.get_by_label("Configuration as JSON").input_value())
    assert document == {"rules": [{"destinations": [{"region": THERE, "registryId": root.account}]}]}
    page.get_by_label("Configuration as JSON").fill("{")
    page.get_by_text("This is no configuration").wait_for()
    document["rules"][0]["repositoryFilters"] = [{"filter": "team", "filterType": "PREFIX_MATCH"}]
    page.get_by_label("Configuration as JSON").fill(json.dumps(document))
    button(page, "Form").click()
    expect(field(page, "Prefixes of repository names of rule 1")).to_have_value("team")

    # Somebody else is faster.
    other = {"rules": [{"destinations": [{"region": "ap-south-1", "registryId": root.account}]}]}
    root.ecr.put_replication_configuration(replicationConfiguration=other)
    button(page, "Save rules").click()
    page.get_by_text("The document changed while you edited it").wait_for()
    page.axe()
    assert rules(root) == other["rules"]
    button(page, "Keep my edit, to save it over the current document").click()
    button(page, "Save rules").click()
    page.get_by_text("The rules are saved.").first.wait_for()
    assert rules(root) == document["rules"]


def to(account, region, prefix):
    return {"rules": [{"destinations": [{"region": region, "registryId": account}],
                       "repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}]}]}


def test_a_backfill_brings_what_was_there_before(hands, root):
    page, prefix = hands.page, hands.named("old")
    name = f"{prefix}/app"
    root.create_repository(name)
    image = Image()
    root.raw().push(name, "v1", image).expect(201)
    root.ecr.put_replication_configuration(replicationConfiguration=to(root.account, THERE, prefix))
    before = len(root.ecr.list_replication_backfills()["backfills"])
    page.open("/replication")
    hands.press(button(page, "Start backfill"))
    dialog = page.get_by_role("dialog")
    hands.choose(dialog.get_by_role("button", name="Destination"), f"{root.account} {THERE}")
    page.axe()
    hands.press(button(dialog, "Start backfill"))
    table = page.get_by_role("table", name="Backfills, the latest first")
    # Those of before stand below it.
    table.get_by_text("Complete").nth(before).wait_for()
    row = table.get_by_role("row").nth(1)
    row.get_by_text("1 of 1").wait_for()
    assert digests(root, name) == [image.digest]
    hands.press(row.get_by_role("button", name="Failures of the backfill"))
    page.get_by_role("table", name="Images that could not be replicated").get_by_text("There are none.").wait_for()
    page.axe()


def test_another_server_is_a_peer_and_gets_some_tags(page, root, tmp_path):
    with Server(tmp_path / "peer", account=PARTNER, region=FAR) as other:
        partner = other.root
        document = policy(allow("ecr:GetAuthorizationToken", "*"), allow(RECEIVES, f"arn:aws:ecr:{FAR}:{PARTNER}:repository/*"))
        key = partner.create_user("replicator", document).credentials
        root.ecr.put_replication_configuration(replicationConfiguration=to(PARTNER, FAR, "far"))
        page.open("/replication")
        button(page, "Add peer").click()
        dialog = page.get_by_role("dialog")
        field(dialog, "Region").fill(FAR)
        field(dialog, "Account").fill(PARTNER)
        field(dialog, "URL").fill(other.url)
        field(dialog, "Access key id").fill(key.access_key_id)
        assert button(dialog, "Save").is_disabled()
        dialog.get_by_label("Secret access key").fill(key.secret_access_key)
        page.axe()
        button(dialog, "Save").click()
        page.get_by_text("The peer is saved.").first.wait_for()

        button(page, "Set tag filter").click()
        dialog.get_by_role("button", name="Destination").click()
        page.get_by_role("option", name=f"{PARTNER} {FAR}").click()
        field(dialog, "Patterns of tags").fill("prod-*")
        button(dialog, "Save").click()
        page.get_by_role("table", name="Tag filters").get_by_text("prod-*").wait_for()
        page.axe()

        root.create_repository("far/app")
        root.docker.login()
        root.docker.build("far/app:dev-1")
        root.docker.push("far/app:dev-1").ok()
        message = root.docker.build("far/app:prod-1")
        root.docker.push("far/app:prod-1").ok()
        [image] = root.ecr.describe_images(repositoryName="far/app", imageIds=[{"imageTag": "prod-1"}])["imageDetails"]
        page.open(f"/repositories/far/app?tab=images&image={image['imageDigest']}")
        page.get_by_role("row").filter(has_text=FAR).get_by_text("Complete").wait_for()
        partner.docker.login()
        partner.docker.pull("far/app:prod-1").ok()
        assert partner.docker.message("far/app:prod-1") == message
        [there] = partner.ecr.describe_images(repositoryName="far/app")["imageDetails"]
        assert there["imageTags"] == ["prod-1"]

        page.open("/replication")
        button(page, f"Delete the peer {PARTNER} {FAR}").click()
        button(dialog, "Delete").click()
        # A rule names it.
        dialog.get_by_text("The request failed").wait_for()
        button(dialog, "Cancel").click()
        button(page, f"Remove the tag filter of {PARTNER} {FAR}").click()
        button(dialog, "Remove").click()
        page.get_by_text("There are no tag filters: all tags are replicated").wait_for()
        page.problems = [problem for problem in page.problems if "DeleteReplicationPeer" not in problem]
