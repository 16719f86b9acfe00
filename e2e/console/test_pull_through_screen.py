"""The pull through cache in the console: a secret and a rule are made, the upstream is tested, and docker pulls by the
command that the page shows."""

import json

import pytest

from berth.console import button, copied, create, field, go_to, run_shown
from berth.images import Image
from berth.peers import PASSWORD, USER, Distribution
from berth.raw import Raw
from berth.server import Server
from berth.service import MODEL


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    """A server that may call this machine."""
    with Server(tmp_path_factory.mktemp("pull-through-screen"), "--outbound-allow", "127.0.0.0/8") as server:
        yield server


@pytest.fixture(scope="module")
def distribution(tmp_path_factory):
    with Distribution(tmp_path_factory.mktemp("distribution")) as upstream:
        yield upstream


def rules(root):
    return {rule["ecrRepositoryPrefix"]: rule for rule in root.ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]}


def write_rule(hands, prefix, url):
    """The form of a new rule, for a registry that is none of the known ones."""
    page = hands.page
    create(hands, "Pull through cache", "Create rule")
    hands.choose(page.get_by_role("button", name="Upstream registry"), "Another registry")
    hands.write(field(page, "Address of the registry"), url)
    hands.write(field(page, "Repository prefix"), prefix)


def make_secret(hands, token):
    """A secret, in the dialog that the form opens. It is chosen afterwards."""
    page = hands.page
    hands.press(button(page, "Create secret"))
    dialog = page.get_by_role("dialog")
    hands.write(field(dialog, "User name"), USER)
    hands.write(field(dialog, "Access token"), token)
    page.axe()
    hands.press(button(dialog, "Create secret"))
    page.get_by_text("The secret is created.").first.wait_for()


def test_a_rule_is_made_tested_and_pulled_through(hands, root, distribution):
    page, prefix = hands.page, hands.named("mirror")
    image = Image()
    Raw(distribution, USER, PASSWORD).push("library/app", "v1", image).expect(201)

    write_rule(hands, "Wrong", distribution.url)
    form = page.get_by_role("main").locator("form")
    hands.press(button(form, "Create rule"))
    page.get_by_text("This is not a prefix").first.wait_for()
    assert prefix not in rules(root)
    hands.write(field(page, "Repository prefix"), prefix)
    make_secret(hands, PASSWORD)
    page.axe()
    hands.press(button(form, "Create rule"))
    page.heading(f"Rule {prefix}").wait_for()
    made = rules(root)[prefix]
    assert made["upstreamRegistryUrl"] == distribution.url
    assert f":secret:ecr-pullthroughcache/{prefix}-" in made["credentialArn"]

    hands.press(button(page, "Test"))
    page.get_by_text("took the rule's credentials").wait_for()
    page.axe()
    hands.write(field(page, "Image at the upstream"), "library/app:v1")
    page.get_by_text(f"It comes from {distribution.registry}/library/app:v1").wait_for()
    command = copied(hands, "Copy the pull command")
    assert command.strip() == f"docker pull {root.image(f'{prefix}/library/app:v1')}"
    root.docker.login()
    run_shown(root, command).ok()
    root.raw().pull(f"{prefix}/library/app", image)

    go_to(hands, "Pull through cache")
    hands.press(button(page, f"Delete rule {prefix}"))
    hands.press(button(page.get_by_role("dialog"), "Delete"))
    page.get_by_text(f"The rule {prefix} is deleted.").first.wait_for()
    assert prefix not in rules(root)


def test_wrong_credentials_are_said_and_changed(hands, root, distribution):
    page, prefix = hands.page, hands.named("closed")
    write_rule(hands, prefix, distribution.url)
    make_secret(hands, "another-token")
    hands.press(button(page.get_by_role("main").locator("form"), "Create rule"))
    page.heading(f"Rule {prefix}").wait_for()
    wrong = rules(root)[prefix]["credentialArn"]
    go_to(hands, "Pull through cache")
    hands.press(button(page, f"Test {prefix}"))
    page.get_by_text(f"{prefix}: the upstream cannot be used").wait_for()
    page.axe()

    hands.press(page.get_by_role("link", name=prefix, exact=True))
    page.heading(f"Rule {prefix}").wait_for()
    hands.press(button(page, "Change credentials"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("ecr-pullthroughcache/").first.wait_for()
    page.axe()
    hands.press(button(dialog, "Create secret"))
    hands.write(field(dialog, "Name"), hands.named("right"))
    hands.write(field(dialog, "User name"), USER)
    hands.write(field(dialog, "Access token"), PASSWORD)
    hands.press(button(dialog, "Create secret"))
    hands.press(button(dialog, "Save"))
    page.get_by_text(f"The credentials of {prefix} are changed.").first.wait_for()
    assert rules(root)[prefix]["credentialArn"] != wrong
    hands.press(button(page, "Test"))
    page.get_by_text("took the rule's credentials").wait_for()


def settings(root, prefix):
    [found] = root.boto("berth").describe_pull_through_cache_settings(ecrRepositoryPrefixes=[prefix])["settings"]
    return found


def test_settings_beyond_ecr_are_saved_and_reset(hands, root, distribution, monkeypatch):
    """A further upstream, platforms and freshness of a rule: what is typed, shown as a command, saved, and used by a pull."""
    # boto3 knows the service `berth` once it has the model.
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    page, prefix = hands.page, hands.named("more")
    image = Image()
    Raw(distribution, USER, PASSWORD).push("library/second", "v1", image).expect(201)
    secret = root.boto("secretsmanager").create_secret(
        Name=f"ecr-pullthroughcache/{prefix}", SecretString=json.dumps({"username": USER, "accessToken": PASSWORD}))["ARN"]
    # Nothing listens there: what is pulled comes from the second.
    root.ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl="http://127.0.0.1:9")
    go_to(hands, "Pull through cache")
    hands.press(page.get_by_role("link", name=prefix, exact=True))
    page.heading(f"Rule {prefix}").wait_for()
    hands.press(button(page, "Edit settings"))
    dialog = page.get_by_role("dialog")
    hands.write(field(dialog, "Tag freshness in seconds"), "often")
    dialog.get_by_text("A number of seconds").first.wait_for()
    assert button(dialog, "Save").is_disabled()
    hands.write(field(dialog, "Tag freshness in seconds"), "60")
    hands.write(field(dialog, "Platforms"), "linux/amd64")
    hands.press(button(dialog, "Add upstream"))
    hands.write(field(dialog, "Address of upstream 1"), "https://mirror")
    dialog.get_by_text("This is not a host").first.wait_for()
    hands.write(field(dialog, "Address of upstream 1"), distribution.url)
    hands.choose(dialog.get_by_role("button", name="Secret for upstream 1"), f"ecr-pullthroughcache/{prefix}")
    page.axe()
    hands.press(button(dialog, "As command"))
    dialog.get_by_text("aws berth put-pull-through-cache-settings").first.wait_for()
    dialog.get_by_text("--tag-freshness-seconds 60").first.wait_for()
    hands.press(button(dialog, "Save"))
    page.get_by_text(f"The settings of {prefix} are saved.").first.wait_for()
    page.axe()
    saved = settings(root, prefix)
    assert (saved["tagFreshnessSeconds"], saved["platforms"], saved["referrers"]) == (60, ["linux/amd64"], "ENABLED")
    [further] = saved["upstreams"]
    assert (further["upstreamRegistryUrl"], further["credentialArn"]) == (distribution.url, secret)
    root.raw().pull(f"{prefix}/library/second", image)

    hands.press(button(page, "Reset settings"))
    hands.press(button(page.get_by_role("dialog"), "Reset settings"))
    page.get_by_text(f"The settings of {prefix} are reset.").first.wait_for()
    assert settings(root, prefix)["upstreams"] == []
    page.get_by_text("86,400 seconds").wait_for()
