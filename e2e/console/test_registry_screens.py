"""Creation templates and the settings of a registry in the console."""

import json

import pytest

from berth.browser import expect
from berth.policies import allow, policy


@pytest.fixture
def page(browser, root):
    page = browser.page().sign_in(root)
    yield page
    page.check()


def stored(root):
    return root.ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]


def test_a_template_is_created_edited_and_deleted(page, root):
    page.open("/templates")
    page.get_by_text("There are no templates").wait_for()
    page.get_by_role("button", name="Create template").or_(page.get_by_role("link", name="Create template")).first.click()
    page.heading("Create template").wait_for()
    page.get_by_label("Prefix").fill("Team")
    form = page.get_by_role("main").get_by_role("button", name="Create template")
    form.click()
    page.get_by_text("This is not a prefix").first.wait_for()
    assert stored(root) == []
    page.get_by_label("Prefix").fill("team/a")
    page.get_by_label("Lifecycle policy").fill("{")
    form.click()
    page.get_by_text("This is not a JSON document").first.wait_for()
    page.get_by_label("Lifecycle policy").fill("")
    page.get_by_label("Description").fill("Team A")
    page.axe()
    form.click()
    page.get_by_text("Template team/a was saved.").wait_for()
    [made] = stored(root)
    assert (made["prefix"], made["appliedFor"], made["description"]) == ("team/a", ["CREATE_ON_PUSH"], "Team A")

    page.get_by_role("link", name="team/a", exact=True).click()
    page.heading("Template team/a").wait_for()
    page.get_by_label("Description").fill("")
    page.get_by_role("radio", name="Immutable").click()
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("link", name="team/a", exact=True).wait_for()
    [changed] = stored(root)
    assert changed["imageTagMutability"] == "IMMUTABLE" and not changed.get("description")

    page.axe()
    page.get_by_role("radio", name="team/a").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("There are no templates").wait_for()
    assert stored(root) == []


def test_settings_of_a_registry_are_saved(page, root):
    page.open("/registry-settings")
    page.get_by_role("radio", name="Disabled").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("As command").click()
    dialog.get_by_text("put-account-setting").first.wait_for()
    page.axe()
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("radio", name="Disabled")).not_to_be_checked()
    page.get_by_role("radio", name="Disabled").click()
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("The setting is saved.").first.wait_for()
    assert root.ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == "DISABLED"

    document = policy(allow("ecr:ReplicateImage", "*", Sid="Replicate", Principal={"AWS": f"arn:aws:iam::{root.account}:root"}))
    page.get_by_label("Policy as JSON").fill(json.dumps(document))
    page.get_by_role("button", name="Review and save").click()
    # Who gains what is said before it is saved.
    dialog.get_by_text("ecr:ReplicateImage").first.wait_for()
    page.axe()
    dialog.get_by_role("button", name="Save policy").click()
    page.get_by_text("The registry policy is saved.").wait_for()
    assert json.loads(root.ecr.get_registry_policy()["policyText"])["Statement"][0]["Sid"] == "Replicate"

    page.get_by_label("Scan on push").fill("prod*\ntest")
    page.get_by_role("button", name="Save scanning configuration").click()
    page.get_by_text("The scanning configuration is saved.").wait_for()
    [rule] = root.ecr.get_registry_scanning_configuration()["scanningConfiguration"]["rules"]
    assert [one["filter"] for one in rule["repositoryFilters"]] == ["prod*", "test"]

    arn = f"arn:aws:iam::{root.account}:role/scanner"
    page.get_by_role("button", name="Add exclusion").click()
    dialog.get_by_label("ARN of a user or role").fill(arn)
    dialog.get_by_role("button", name="Add exclusion").click()
    page.get_by_role("button", name=f"Remove {arn}").wait_for()
    assert root.ecr.list_pull_time_update_exclusions()["pullTimeUpdateExclusions"] == [arn]
    page.axe()

    page.get_by_role("button", name="Begin read-only mode").click()
    dialog.get_by_label("Reason").fill("release 1.0")
    dialog.get_by_role("button", name="Begin read-only mode").click()
    page.get_by_text("The server refuses writes: release 1.0").wait_for()
    page.get_by_role("button", name="End read-only mode").click()
    dialog.get_by_role("button", name="End read-only mode").click()
    page.get_by_text("The server accepts writes.").wait_for()


def test_edits_of_others_are_seen(page, root):
    """A template and the registry policy that somebody else changed since the page was opened are not written over."""
    root.ecr.create_repository_creation_template(prefix="shared", appliedFor=["CREATE_ON_PUSH"], description="first")
    page.open("/templates/shared")
    page.get_by_label("Description").fill("mine")
    root.ecr.update_repository_creation_template(prefix="shared", description="theirs")
    page.get_by_role("button", name="Save changes").click()
    page.get_by_text("The document changed while you edited it").wait_for()
    page.axe()
    assert [one["description"] for one in stored(root)] == ["theirs"]
    page.get_by_role("button", name="Discard my edit").click()
    expect(page.get_by_label("Description")).to_have_value("theirs")
    page.get_by_label("Description").fill("both")
    page.get_by_role("button", name="Save changes").click()
    page.get_by_text("Template shared was saved.").first.wait_for()
    assert [one["description"] for one in stored(root)] == ["both"]

    def document(sid):
        who = {"AWS": f"arn:aws:iam::{root.account}:root"}
        return json.dumps(policy(allow("ecr:ReplicateImage", "*", Sid=sid, Principal=who)))

    root.ecr.put_registry_policy(policyText=document("First"))
    page.open("/registry-settings")
    page.get_by_label("Policy as JSON").fill(document("Mine"))
    root.ecr.put_registry_policy(policyText=document("Theirs"))
    page.get_by_role("button", name="Review and save").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Save policy").click()
    dialog.get_by_text("The document changed while you edited it").wait_for()
    dialog.get_by_role("button", name="Keep my edit").click()
    dialog.get_by_role("button", name="Save policy").click()
    page.get_by_text("The registry policy is saved.").first.wait_for()
    assert json.loads(root.ecr.get_registry_policy()["policyText"])["Statement"][0]["Sid"] == "Mine"


def test_a_repository_is_read_only_until_the_release_is_over(page, root):
    root.create_repository("frozen")
    root.docker.login()
    root.docker.build("frozen:v1")
    page.open("/repositories/frozen?tab=settings")
    page.get_by_text("This repository accepts writes.").wait_for()
    page.get_by_role("button", name="Begin read-only mode").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("release 1.0")
    page.axe()
    dialog.get_by_role("button", name="Begin read-only mode").click()
    # In the banner and in the settings.
    banner = page.get_by_text("This repository refuses writes: release 1.0")
    banner.first.wait_for()
    page.axe()
    root.docker.push("frozen:v1").failed("release 1.0")
    page.open("/repositories/frozen")
    banner.first.wait_for()
    page.open("/repositories/frozen?tab=settings")
    page.get_by_role("button", name="End read-only mode").click()
    dialog.get_by_role("button", name="End read-only mode").click()
    page.get_by_text("This repository accepts writes.").wait_for()
    banner.first.wait_for(state="detached")
    root.docker.push("frozen:v1").ok()
