"""Walk-through B in the console: a CI user without permissions, a role that trusts it, and the same without a stored key."""

import pytest

from berth.console import (begin_role, button, create, create_repository, create_user, field, finish_role, from_template,
                           pushes_and_pulls)
from berth.outcome import NO_IDENTITY_POLICY
from berth.people import Credentials, Person, failing
from berth.server import Server
from berth.web_identity import WEB_IDENTITY, anonymous


@pytest.fixture(scope="module")
def berth(tmp_path_factory, issuer):
    with Server(tmp_path_factory.mktemp("keyless"), *issuer.trusted) as server:
        yield server


def test_a_ci_user_takes_the_role_and_pushes(hands, root):
    app = hands.named("app")
    create_repository(hands, app)
    circleci = create_user(hands, hands.named("circleci"))
    begin_role(hands, "AWS account")
    hands.write(field(hands.page, "Accounts, users and roles"), circleci.arn)
    role = finish_role(hands, hands.named("containerise"), lambda: from_template(hands, "Push and pull", app))
    circleci.refused(circleci.ecr.get_authorization_token, "ecr:GetAuthorizationToken", "*", NO_IDENTITY_POLICY)
    pushes_and_pulls(circleci.assume(role), f"{app}:v1")


def test_a_job_pushes_with_its_token_alone(hands, root, issuer):
    page, app, job = hands.page, hands.named("keyless"), hands.named("ci")
    create_repository(hands, app)
    create(hands, "Identity providers", "Add provider")
    page.heading("Add provider").wait_for()
    hands.write(field(page, "Provider URL"), issuer.url(job))
    hands.press(button(page, "Add provider"))
    page.heading(issuer.name(job)).wait_for()

    begin_role(hands, "Web identity")
    hands.choose(page.get_by_role("button", name="Identity provider"), issuer.name(job))
    hands.write(field(page, "Subject (sub)"), "job-7")
    name = hands.named("job")
    role = finish_role(hands, name, lambda: from_template(hands, "Push and pull", app))

    sts = anonymous(root.server)
    asked = {"RoleArn": role, "RoleSessionName": "build"}
    answer = sts.assume_role_with_web_identity(WebIdentityToken=issuer.token(job, sub="job-7"), **asked)
    arn = answer["AssumedRoleUser"]["Arn"]
    pushes_and_pulls(Person(root.server, "build", Credentials.of(answer["Credentials"]), root.account, arn), f"{app}:v1")
    error = failing(sts.assume_role_with_web_identity, "AccessDenied",
                    WebIdentityToken=issuer.token(job, sub="job-8"), **asked)
    assert error["Message"] == f"Not authorized to perform {WEB_IDENTITY}"
