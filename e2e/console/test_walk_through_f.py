"""Walk-through F in the console: the commands that the pages show are copied and run as they stand."""

import json

from berth.console import button, copied, create, create_repository, create_user, field, from_template, go_to, run_shown


def test_the_shown_commands_keep_the_key_log_in_and_create_a_repository(hands, root):
    page, app, name = hands.page, hands.named("app"), hands.named("alice")
    create_repository(hands, app)
    commands = []
    alice = create_user(hands, name, lambda: from_template(hands, "Everything on these repositories", f"{app}*"),
                        lambda _: commands.append(copied(hands, "Copy the commands that use the key")))
    key = alice.credentials
    assert key.secret_access_key not in commands[0], "the secret stays out of the shell's history"
    files = {"AWS_CONFIG_FILE": str(alice.home / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(alice.home / "credentials"),
             "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    typed = f"{key.access_key_id}\n{key.secret_access_key}\n{root.server.region}\njson\n"
    said = run_shown(alice, commands[0], env=files, input=typed).out
    assert json.loads(said[said.index("{"):])["Arn"] == alice.arn

    create(hands, "Repositories", "Create repository")
    page.heading("Create repository").wait_for()
    hands.write(field(page, "Repository name"), f"{app}-2")
    hands.press(button(page, "As command").first)
    made = run_shown(alice, copied(hands, "Copy the code for AWS CLI"), env={"AWS_DEFAULT_OUTPUT": "json"}).json
    assert made["repository"]["repositoryName"] == f"{app}-2"
    go_to(hands, "Home")
    login = copied(hands, "Copy the command")
    assert "aws ecr get-login-password" in login and "docker login --username AWS --password-stdin" in login
    assert "Login Succeeded" in run_shown(alice, login).ok().text
    message = alice.docker.build(f"{app}-2:v1")
    alice.docker.push(f"{app}-2:v1").ok()
    alice.docker.pull(f"{app}-2:v1").ok()
    assert alice.docker.message(f"{app}-2:v1") == message
