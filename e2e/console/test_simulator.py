"""The simulator: which element of which statement did not match, on its own screen and beside the policy editor."""

import json

import pytest

from berth.console import field
from berth.hands import Keyboard, Mouse
from berth.policies import allow, policy, push_and_pull

OFFICE = {"Sid": "office", "Effect": "Allow", "Action": "ecr:PutImage", "Resource": "*",
          "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}


@pytest.fixture(scope="module")
def simone(root):
    root.create_repository("simulated/app")
    return root.create_user("simone", policy(*push_and_pull("simulated/other"), OFFICE))


@pytest.fixture
def page(browser, root):
    page = browser.page(expect_refusals=True).sign_in(root)
    yield page
    page.check()


@pytest.mark.parametrize("way", (Mouse, Keyboard), ids=lambda way: way.name)
def test_the_simulator_says_which_element_did_not_match(way, page, berth, root, simone):
    hands = way(page, berth)
    page.open(f"/simulator?principal=arn:aws:iam::{root.account}:user/simone"
              f"&resource={root.repository_arn('simulated/app')}")
    page.get_by_role("heading", name="Statements, element by element").wait_for()
    rows = elements(page, "statement office")
    assert rows["Action"] == "Yes"
    assert rows["Condition IpAddress aws:SourceIp"] == "No"
    page.get_by_text("This statement came nearest to allowing the request.").wait_for()
    page.axe()

    hands.press(page.get_by_role("button", name="Add a condition key"))
    hands.write(field(page, "Condition key"), "aws:SourceIp")
    hands.write(field(page, "Value"), "10.1.2.3")
    page.get_by_text("This statement decided.").wait_for()
    assert elements(page, "statement office")["Condition IpAddress aws:SourceIp"] == "Yes"


def test_the_editor_shows_the_trace_of_the_document_that_is_written(page, berth, root, simone):
    page.open("/policies/create")
    hands = Mouse(page, berth)
    hands.write(page.get_by_role("textbox", name="Policy document (JSON)"),
                json.dumps(policy(allow("ecr:PutImage", root.repository_arn("simulated/*")))))
    hands.write(field(page, "Principal"), f"arn:aws:iam::{root.account}:user/simone")
    hands.write(field(page, "Resource"), root.repository_arn("elsewhere"))
    page.get_by_role("button", name="Identity policy: the document in the editor").wait_for()
    page.get_by_text("Resource did not match").first.wait_for()


def test_who_may_simulate_and_not_read_is_told_what_is_missing(browser, root, simone):
    rights = policy(allow(["berth:SimulateRequest", "iam:SimulatePrincipalPolicy"], "*"))
    viewer = root.create_user("vera", rights)
    page = browser.page(expect_refusals=True).sign_in(viewer)
    page.open(f"/simulator?principal=arn:aws:iam::{root.account}:user/simone"
              f"&resource={root.repository_arn('simulated/app')}")
    page.get_by_text("To see the statements of this policy you need iam:GetPolicyVersion.").wait_for()
    assert page.get_by_role("table", name="office").count() == 0
    page.check()


def elements(page, statement):
    """Whether each element of a statement matched, as its table says."""
    table = page.get_by_role("table").filter(has_text="In the policy").and_(page.get_by_role("table", name=statement))
    table.wait_for()
    rows = table.get_by_role("row").all()[1:]
    return {row.get_by_role("rowheader").inner_text(): row.get_by_role("cell").first.inner_text().strip()
            for row in rows}
