"""Keys of KMS in the console: made with an alias, used by a repository that docker pushes to, disabled, rotated, deleted."""

import json

from berth.audit import events
from berth.console import button, create, field, go_to


def keys(root):
    return root.boto("kms")


def key_of(root, alias):
    return keys(root).describe_key(KeyId=f"alias/{alias}")["KeyMetadata"]


def make_key(hands, alias):
    page = hands.page
    create(hands, "Encryption keys", "Create key")
    hands.write(field(page, "Alias"), "aws/ecr")
    page.get_by_text("and not aws/ at the beginning").wait_for()
    hands.write(field(page, "Alias"), alias)
    hands.write(field(page, "Description"), "Images of the team")
    page.axe()
    hands.press(button(page.get_by_role("main").locator("form"), "Create key"))
    page.get_by_text("The key is created.").first.wait_for()


def test_a_key_closes_and_opens_its_repository(hands, root):
    page, alias = hands.page, hands.named("team")
    name = hands.named("sealed")
    make_key(hands, alias)
    key = key_of(root, alias)
    page.heading(f"Key {key['KeyId']}").wait_for()
    page.get_by_text(f"alias/{alias}", exact=True).first.wait_for()
    page.axe()
    root.ecr.create_repository(repositoryName=name, encryptionConfiguration={"encryptionType": "KMS", "kmsKey": f"alias/{alias}"})
    root.docker.login()
    root.docker.build(f"{name}:v1")
    root.docker.push(f"{name}:v1").ok()

    hands.press(button(page, "Disable"))
    hands.press(button(page.get_by_role("dialog"), "Disable"))
    page.get_by_text("The key is disabled.").first.wait_for()
    root.docker.build(f"{name}:v2")
    root.docker.push(f"{name}:v2").failed("is disabled")
    hands.press(button(page, "Enable"))
    hands.press(button(page.get_by_role("dialog"), "Enable"))
    page.get_by_text("The key is enabled.").first.wait_for()
    root.docker.push(f"{name}:v2").ok()

    # What hangs on it is shown, and keeps it from being deleted.
    hands.press(button(page, "Schedule deletion"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(name, exact=True).wait_for()
    assert button(dialog, "Schedule deletion").is_disabled()
    page.axe()
    hands.press(button(dialog, "Cancel"))
    page.open("/keys")
    page.get_by_role("row").filter(has_text=f"alias/{alias}").get_by_text("1 repository").wait_for()
    page.axe()


def test_a_key_is_rotated_tagged_and_deleted_with_a_way_back(hands, root):
    page, alias = hands.page, hands.named("gone")
    make_key(hands, alias)
    key = key_of(root, alias)["KeyId"]
    page.heading(f"Key {key}").wait_for()
    dialog = page.get_by_role("dialog")
    hands.press(button(page, "Change rotation"))
    hands.check(dialog.get_by_role("checkbox", name="Rotate the key"))
    hands.write(field(dialog, "Days between rotations"), "5")
    dialog.get_by_text("90 to 2,560 days.").wait_for()
    hands.write(field(dialog, "Days between rotations"), "180")
    hands.press(button(dialog, "Save"))
    page.get_by_text("The key is rotated every 180 days.").wait_for()
    assert keys(root).get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180

    hands.press(button(page, "Edit tags"))
    hands.press(button(dialog, "Add a tag"))
    hands.write(dialog.get_by_role("textbox", name="Key").first, "team")
    hands.write(dialog.get_by_role("textbox", name="Value").first, "red")
    hands.press(button(dialog, "Save"))
    page.get_by_text("The tags are saved.").first.wait_for()
    assert keys(root).list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "red"}]

    hands.press(button(page, "Schedule deletion"))
    hands.write(field(dialog, "Waiting time in days"), "7")
    hands.press(button(dialog, "Schedule deletion"))
    page.get_by_text("Pending deletion").first.wait_for()
    assert key_of(root, alias)["KeyState"] == "PendingDeletion"
    page.axe()
    hands.press(button(page, "Cancel deletion"))
    hands.press(button(dialog, "Cancel deletion"))
    page.get_by_text("The key stays. It is disabled.").first.wait_for()
    assert key_of(root, alias)["KeyState"] == "Disabled"

    hands.press(button(page, f"Delete alias/{alias}"))
    hands.press(button(dialog, "Delete"))
    page.get_by_text("There are no aliases").wait_for()
    go_to(hands, "Encryption keys")
    page.get_by_role("link", name=key).wait_for()


def test_a_key_policy_is_edited(browser, root):
    page = browser.page().sign_in(root)
    key = keys(root).create_key()["KeyMetadata"]["KeyId"]
    page.open(f"/keys/{key}")
    button(page, "Edit policy").click()
    dialog = page.get_by_role("dialog")
    document = json.loads(keys(root).get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    document["Statement"].append({"Sid": "Guard", "Effect": "Deny", "Principal": "*", "Action": "kms:DisableKey", "Resource": "*"})
    editor = dialog.locator(".cm-content")
    editor.click()
    page.press("Control+a")
    page.keyboard.insert_text(json.dumps(document))
    button(dialog, "Save").click()
    page.get_by_text("The key policy is saved.").first.wait_for()
    stored = json.loads(keys(root).get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert [one["Sid"] for one in stored["Statement"]][-1] == "Guard"
    assert events(root.server, eventName="PutKeyPolicy")
    page.check()
