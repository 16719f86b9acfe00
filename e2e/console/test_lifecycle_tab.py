"""The lifecycle policy of a repository in the console: rules in a form and as JSON, a preview, and what a run leaves."""

import json

import pytest

from berth import images
from berth.browser import Browser
from berth.policies import allow, policy


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


def test_a_policy_is_written_previewed_and_saved(browser, root):
    root.create_repository("lifecycle/app")
    for tag in ("v1", "v2", "v3"):
        root.raw().push("lifecycle/app", tag, images.Image()).expect(201)
    page = browser.page().sign_in(root, "/repositories/lifecycle/app?tab=lifecycle")
    page.get_by_text("This repository has no lifecycle policy").wait_for()
    page.get_by_role("button", name="Add rule").click()
    rule = page.get_by_role("group", name="Rule 1")
    rule.get_by_label("Description").fill("Keep the newest two images")
    rule.get_by_role("button", name="Images").click()
    page.get_by_role("option", name="With tags").click()
    rule.get_by_label("Patterns or prefixes").fill("v*")
    rule.get_by_role("button", name="Condition").click()
    page.get_by_role("option", name="More images than").click()
    rule.get_by_label("Number").fill("2")
    page.axe()

    # One document: what the form says stands in the JSON.
    page.get_by_role("button", name="JSON", exact=True).click()
    document = json.loads(page.get_by_label("Policy as JSON").input_value())
    assert document == {"rules": [{
        "rulePriority": 1, "description": "Keep the newest two images",
        "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan",
                      "countNumber": 2},
        "action": {"type": "expire"},
    }]}
    page.get_by_role("button", name="Form", exact=True).click()

    page.get_by_role("button", name="Preview", exact=True).click()
    page.get_by_text("1 would be deleted, 0 archived.").wait_for()
    preview = page.get_by_role("table", name="Images on which the policy would act")
    assert "v1" in preview.get_by_role("row").nth(1).inner_text()
    assert len(root.ecr.list_images(repositoryName="lifecycle/app")["imageIds"]) == 3, "a preview changes nothing"

    page.get_by_role("button", name="Save policy").click()
    page.get_by_text("The lifecycle policy is saved.").wait_for()
    stored = root.ecr.get_lifecycle_policy(repositoryName="lifecycle/app")["lifecyclePolicyText"]
    assert json.loads(stored) == document

    page.get_by_role("button", name="Delete policy").click()
    page.get_by_text("This repository has no lifecycle policy").wait_for()
    page.check()


def test_a_policy_that_is_refused_says_why_in_place(browser, root):
    root.create_repository("lifecycle/refused")
    page = browser.page(expect_refusals=True).sign_in(root, "/repositories/lifecycle/refused?tab=lifecycle")
    page.get_by_role("button", name="JSON", exact=True).click()
    rule = {"rulePriority": 1, "selection": {"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 2},
            "action": {"type": "expire"}}
    page.get_by_label("Policy as JSON").fill(json.dumps({"rules": [rule]}))
    page.get_by_role("button", name="Save policy").click()
    page.get_by_text("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.").wait_for()
    page.get_by_label("Policy as JSON").fill('{"rules": [{"unknown": true}]}')
    page.get_by_role("button", name="Form", exact=True).click()
    page.get_by_text("The form cannot show this document.").wait_for()
    page.axe()


def test_who_may_not_read_the_policy_is_told_so(browser, root):
    root.create_repository("lifecycle/closed")
    carol = root.create_user("lifecycle-carol", policy(allow(["ecr:DescribeRepositories"], "*")))
    page = browser.page(expect_refusals=True).sign_in(carol, "/repositories/lifecycle/closed?tab=lifecycle")
    page.get_by_text("not authorized to perform: ecr:GetLifecyclePolicy ").first.wait_for()
