"""Walk-through C in the console: a role for hosts, its instance profile, an invitation, and a push without a stored key."""

import pytest

from berth.console import begin_role, button, create, create_repository, field, finish_role, from_template, go_to, shown_secret
from berth.machine import Machine


def test_a_host_joins_with_the_shown_code_and_pushes(hands, root):
    page, app, name = hands.page, hands.named("app"), hands.named("containerise")
    create_repository(hands, app)
    begin_role(hands, "AWS service")
    page.get_by_text("A profile with the role's name is created").wait_for()
    finish_role(hands, name, lambda: from_template(hands, "Push and pull", app))

    create(hands, "Hosts", "Invite a host")
    page.heading("Invite a host").wait_for()
    hands.choose(page.get_by_role("button", name="Instance profile"), name)
    hands.write(field(page, "Host name"), "web-1")
    hands.press(button(page, "Invite a host"))
    page.heading("Code of the invitation").wait_for()
    shown = page.get_by_role("region", name="Command for the host").inner_text().split()
    assert shown[:4] == ["sudo", "berth", "agent", "join"]
    code = shown_secret(hands, "Code")
    hands.press(button(page, "Done"))
    page.heading("Hosts").wait_for()

    machine = Machine(root)
    machine.join(code, *shown[4:]).ok()
    with machine.serving():
        assert machine.aws("sts", "get-caller-identity").json["Arn"].endswith(f"assumed-role/{name}/{machine.id}")
        machine.docker.login()
        message = machine.docker.build(f"{app}:v1")
        machine.docker.push(f"{app}:v1").ok()
        machine.docker.pull(f"{app}:v1").ok()
        assert machine.docker.message(f"{app}:v1") == message
    assert not list(machine.home.glob("**/.aws/credentials"))

    # The host is listed, and its next request after the revocation is refused.
    page.open("/hosts")
    hands.press(button(page, f"Revoke {machine.id}"))
    dialog = page.get_by_role("dialog")
    hands.write(dialog.get_by_role("textbox"), machine.id)
    hands.press(dialog.get_by_role("button", name="Revoke", exact=True))
    page.get_by_text(f"The host {machine.id} is revoked.").wait_for()
    machine.agent("credential-process").failed("HostRevokedException", machine.id)
