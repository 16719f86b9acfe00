"""Walk-through H in the console: repository, policy, role and user are taken down, each refused while something depends on
it, each with what depends on it after its name was typed."""

from berth.console import button, go_to
from berth.people import failing
from berth.policies import policy, push_and_pull, trust


def delete(hands, listed, name, *told):
    """Deletes a thing of IAM with what depends on it, by its page."""
    page = hands.page
    go_to(hands, listed)
    hands.press(page.get_by_role("link", name=name, exact=True))
    page.heading(name, exact=True).wait_for()
    hands.press(button(page, "Delete"))
    dialog = page.get_by_role("dialog", name=f"Delete {name}")
    steps = dialog.get_by_role("list", name="Steps").get_by_role("listitem")
    steps.first.wait_for()
    shown = "\n".join(steps.all_inner_texts())
    assert all(word in shown for word in told), shown
    hands.press(dialog.get_by_role("button", name="As command"))
    commands = dialog.get_by_role("region", name="AWS CLI").inner_text()
    assert commands.count("aws iam ") == steps.count(), commands
    run = dialog.get_by_role("button", name="Delete", exact=True)
    assert run.is_disabled(), "only after the name was typed"
    hands.write(dialog.get_by_role("textbox"), name)
    hands.press(run)
    page.get_by_text(f"{name} is deleted.").wait_for()
    page.heading(listed).wait_for()


def test_each_is_refused_while_something_depends_on_it_and_then_removed_in_order(hands, root):
    page, iam = hands.page, root.iam
    app, user, role, shared = (hands.named(name) for name in ("old-app", "leaver", "old-role", "old-policy"))
    root.create_repository(app)
    arn = root.create_policy(shared, policy(*push_and_pull(app)))
    leaver = root.create_user(user)
    iam.attach_user_policy(UserName=user, PolicyArn=arn)
    root.create_role(role, trust({"AWS": leaver.arn}))
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    leaver.docker.login()
    leaver.docker.build(f"{app}:v1")
    leaver.docker.push(f"{app}:v1").ok()
    session = leaver.assume(f"arn:aws:iam::{root.account}:role/{role}")

    # Each is refused while something depends on it, whoever asks.
    failing(root.ecr.delete_repository, "RepositoryNotEmptyException", repositoryName=app)
    failing(iam.delete_policy, "DeleteConflict", PolicyArn=arn)
    failing(iam.delete_role, "DeleteConflict", RoleName=role)
    failing(iam.delete_user, "DeleteConflict", UserName=user)

    go_to(hands, "Repositories")
    hands.press(page.get_by_role("link", name=app, exact=True))
    page.heading(app).wait_for()
    hands.press(button(page, "Delete repository"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("v1").wait_for()
    assert dialog.get_by_role("button", name="Delete").is_disabled(), "only after the name was typed"
    hands.write(dialog.get_by_label(f"To confirm, type {app}"), app)
    hands.press(dialog.get_by_role("button", name="Delete"))
    page.heading("Repositories").wait_for()
    leaver.docker.push(f"{app}:v1").failed(f"The repository with name '{app}' does not exist")

    delete(hands, "Policies", shared, "Detach policy", "Delete policy")
    failing(leaver.ecr.get_authorization_token, "AccessDeniedException")
    delete(hands, "Roles", role, "Delete role")
    failing(session.sts.get_caller_identity, "InvalidClientTokenId")
    delete(hands, "Users", user, "Delete access key", "Delete user")
    failing(leaver.sts.get_caller_identity, "InvalidClientTokenId")
    failing(iam.get_user, "NoSuchEntity", UserName=user)
