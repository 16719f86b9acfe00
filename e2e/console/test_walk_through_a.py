"""Walk-through A in the console: a repository, a policy on it, a user with a key, and the commands that the page shows."""

from berth import images
from berth.console import button, choose_managed, copied, create_policy, create_repository, create_user, go_to, run_shown
from berth.outcome import NO_IDENTITY_POLICY


def test_a_user_with_a_policy_on_one_repository_pushes_by_the_shown_commands(hands, root):
    page = hands.page
    app, payroll, name = hands.named("app"), hands.named("payroll"), hands.named("alice")
    root.create_repository(payroll)
    create_repository(hands, app)
    create_policy(hands, hands.named("push"), "Push and pull", app)
    alice = create_user(hands, name, lambda: choose_managed(hands, hands.named("push")))

    go_to(hands, "Repositories")
    hands.press(page.get_by_role("link", name=app, exact=True))
    page.heading(app).wait_for()
    hands.turn_to(page.get_by_role("tab", name="Push commands"))
    commands = copied(hands, "Copy the commands for Linux and macOS")
    assert commands.strip() == page.get_by_role("region", name="Linux and macOS").inner_text().strip()
    folder = images.context(alice.home / "image", "from the page")
    run_shown(alice, commands, cwd=folder).ok()
    alice.docker.pull(f"{app}:latest").ok()
    assert alice.docker.message(f"{app}:latest") == "from the page"

    hands.turn_to(page.get_by_role("tab", name="Images"))
    hands.press(button(page, "Refresh"))
    page.get_by_role("row").filter(has_text="latest").wait_for()
    alice.docker.build(f"{payroll}:v1")
    alice.docker.push(f"{payroll}:v1").denied(
        action="ecr:InitiateLayerUpload", resource=alice.repository_arn(payroll), because=NO_IDENTITY_POLICY)
