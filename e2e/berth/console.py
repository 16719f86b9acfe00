"""Steps of the console that several stories take, by the mouse or by the keyboard (`hands`)."""

import re
import time

from .people import Credentials, Person

#: A press that copies nothing fails after this.
_COPIED_S_MAX = 30


def button(page, name, **more):
    return page.get_by_role("button", name=name, exact=True, **more)


def field(page, name):
    """A line or an area of text; its name may go on, as in `Description - optional`."""
    return page.get_by_role("textbox", name=re.compile(rf"^{re.escape(name)}(\s|$)"))


def go_to(hands, name):
    """A page, by its entry in the side navigation."""
    page = hands.page
    hands.press(page.get_by_role("navigation", name="Main navigation").get_by_role("link", name=name, exact=True))
    page.heading(name).wait_for()


def create(hands, listed, name):
    """The page that makes a thing, from its list."""
    go_to(hands, listed)
    page = hands.page
    hands.press(page.get_by_role("link", name=name, exact=True).first)
    page.heading().wait_for()


def create_repository(hands, name):
    create(hands, "Repositories", "Create repository")
    page = hands.page
    page.heading("Create repository").wait_for()
    hands.write(field(page, "Repository name"), name)
    hands.press(button(page, "Create repository"))
    page.heading(name).wait_for()


def create_policy(hands, name, template, repositories, description="Written in the console"):
    """A managed policy from a template."""
    create(hands, "Policies", "Create policy")
    page = hands.page
    page.heading("Create policy").wait_for()
    hands.write(field(page, "Policy name"), name)
    hands.write(field(page, "Description"), description)
    hands.write(field(page, "Repositories"), repositories)
    hands.choose(button(page, "From a template"), template)
    hands.press(button(page, "Create policy"))
    page.heading(name).wait_for()


def choose_managed(hands, *names):
    """Managed policies, in a form that asks for permissions."""
    page = hands.page
    hands.check(page.get_by_role("radio", name="Managed policies"))
    for name in names:
        hands.choose_all(page.get_by_role("button", name="Find policies"), [name], find=name)


def from_template(hands, template, repositories):
    """An inline policy from a template, in a form that asks for permissions."""
    page = hands.page
    hands.check(page.get_by_role("radio", name="From a template"))
    hands.check(page.get_by_role("radio", name=template))
    hands.write(field(page, "Repositories"), repositories)


def create_user(hands, name, permissions=None, shown=None):
    """A user with an access key, which the page shows once; `permissions` fills that part of the form, `shown` looks at
    the page with the key. Answers the person."""
    create(hands, "Users", "Create user")
    page = hands.page
    page.heading("Create user").wait_for()
    hands.write(field(page, "User name"), name)
    if permissions:
        permissions()
    hands.press(button(page, "Create user"))
    page.heading(f"Credentials of {name}").wait_for()
    made = shown_person(hands, name)
    if shown:
        shown(made)
    hands.press(button(page, "Go to the user"))
    page.heading(name).wait_for()
    return made


def shown_person(hands, name):
    """The user whose new access key the page shows."""
    page, server = hands.page, hands.server
    secret = shown_secret(hands, "Secret access key")
    key = page.get_by_role("group", name="Access key ID").inner_text().split("\n")[-1].strip()
    return Person(server, name, Credentials(key, secret), server.account, f"arn:aws:iam::{server.account}:user/{name}")


def shown_secret(hands, label):
    """A secret that the page hides until it is asked for."""
    group = hands.page.get_by_role("group", name=label, exact=True)
    hands.press(group.get_by_role("button", name=f"Show {label.lower()}"))
    return group.locator("code").inner_text()


def copied(hands, label):
    """What a button copies."""
    page = hands.page
    # The page writes it some time after the press: what was copied before is not to be taken for it.
    page.evaluate("() => navigator.clipboard.writeText('')")
    hands.press(button(page, label))
    end = time.monotonic() + _COPIED_S_MAX
    while not (text := page.evaluate("() => navigator.clipboard.readText()")):
        assert time.monotonic() < end, f"{label} copied nothing"
    return text


def run_shown(person, commands, env=None, **more):
    """Runs commands that the page showed, letter by letter, as a person's shell does. The endpoint stands in them."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    argv = ("/bin/bash", "-euo", "pipefail", "-c", commands)
    return person.run(*argv, env=person.docker.variables | nowhere | (env or {}), **more)


def begin_role(hands, kind):
    """The wizard of roles, at its first step."""
    create(hands, "Roles", "Create role")
    page = hands.page
    page.heading("Select trusted entity").wait_for()
    hands.check(page.get_by_role("radio", name=kind))


def finish_role(hands, name, permissions=None):
    """The wizard's other steps. Answers the role's ARN."""
    page = hands.page
    hands.press(button(page, "Next"))
    page.heading("Add permissions").wait_for()
    if permissions:
        permissions()
    hands.press(button(page, "Next"))
    page.heading("Name and review").wait_for()
    hands.write(field(page, "Role name"), name)
    hands.press(button(page, "Create role"))
    page.heading(name, exact=True).wait_for()
    return f"arn:aws:iam::{hands.server.account}:role/{name}"


def pushes_and_pulls(person, reference):
    person.docker.login()
    message = person.docker.build(reference)
    person.docker.push(reference).ok()
    person.docker.pull(reference).ok()
    assert person.docker.message(reference) == message
