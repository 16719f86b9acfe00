"""Repositories in the console: created, pushed to, looked at, shared and deleted, by mouse and by keyboard alone."""

import json
import re

import pytest

from berth import images
from berth.browser import Browser, expect
from berth.policies import allow, policy

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser(berth):
    with Browser(berth) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(browser, root):
    """The root user's page, signed in."""
    return browser.page().sign_in(root)


def upload(ecr, repository, content):
    upload_id = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(repositoryName=repository, uploadId=upload_id, partFirstByte=0,
                          partLastByte=len(content) - 1, layerPartBlob=content)
    digest = images.digest(content)
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload_id, layerDigests=[digest])
    return {"digest": digest, "size": len(content)}


def put(ecr, repository, manifest, **more):
    text = json.dumps(manifest)
    ecr.put_image(repositoryName=repository, imageManifest=text, **more)
    return {"mediaType": manifest["mediaType"], "digest": images.digest(text.encode()), "size": len(text)}


@pytest.fixture(scope="module")
def stranger(root):
    """A repository into which somebody pushed an index, a signature, and markup wherever text is free."""
    root.create_repository("strangers/app")
    ecr = root.ecr
    config = json.dumps({
        "os": "linux", "architecture": "arm64", "config": {"Labels": {MARKUP: MARKUP}, "Env": [f"A={MARKUP}"]},
        "history": [{"created_by": f"COPY {MARKUP}"}], "rootfs": {"type": "layers", "diff_ids": []},
    }).encode()
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar"} | upload(ecr, "strangers/app", b"layer")
    platform = put(ecr, "strangers/app", {
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "layers": [layer],
        "config": {"mediaType": images.OCI_CONFIG} | upload(ecr, "strangers/app", config),
        "annotations": {"javascript:alert(1)": MARKUP},
    })
    index = put(ecr, "strangers/app", {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [platform | {"platform": {"os": "linux", "architecture": "arm64"}}],
    }, imageTag="v1")
    empty = {"mediaType": "application/vnd.oci.empty.v1+json"} | upload(ecr, "strangers/app", b"{}")
    put(ecr, "strangers/app", {
        "schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "config": empty, "layers": [empty], "subject": index,
        "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json", "annotations": {"note": MARKUP},
    })
    return platform["digest"], index["digest"]


def test_by_mouse_from_nothing_to_a_pushed_image_and_back(page, root):
    page.open("/repositories")
    page.get_by_role("link", name="Create repository").click()
    page.heading("Create repository").wait_for()
    page.get_by_role("button", name="As command", exact=True).first.click()
    page.get_by_label("Repository name").fill("mouse/app")
    page.get_by_role("radio", name="Immutable").check()
    command = page.get_by_role("region", name="AWS CLI")
    expect(command).to_contain_text("aws ecr create-repository")
    # The command follows the form.
    expect(command).to_contain_text("--image-tag-mutability IMMUTABLE")
    page.get_by_role("button", name="Create repository").click()
    page.heading("mouse/app").wait_for()
    assert root.ecr.describe_repositories(repositoryNames=["mouse/app"])["repositories"][0]["imageTagMutability"] == \
        "IMMUTABLE"

    commands = page.get_by_role("region", name="Linux and macOS").inner_text()
    assert f"docker push {root.registry}/mouse/app:latest" in commands
    root.docker.login()
    root.docker.build("mouse/app:v1")
    root.docker.push("mouse/app:v1").ok()

    page.get_by_role("tab", name="Images").click()
    row = page.get_by_role("row").filter(has_text="v1")
    row.get_by_role("link").click()
    page.get_by_role("heading", name="Layers").wait_for()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("The image was deleted.", exact=True).wait_for()
    assert root.ecr.describe_images(repositoryName="mouse/app")["imageDetails"] == []

    root.docker.push("mouse/app:v1").ok()
    page.open("/repositories/mouse/app")
    page.get_by_role("button", name="Delete repository").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("v1").wait_for()
    assert dialog.get_by_role("button", name="Delete").is_disabled(), "only after the name was typed"
    dialog.get_by_label("To confirm, type mouse/app").fill("mouse/app")
    dialog.get_by_role("button", name="Delete").click()
    page.heading("Repositories").wait_for()
    page.get_by_text("Repository mouse/app was deleted.", exact=True).wait_for()
    page.check()


def test_a_repository_is_encrypted_under_a_key(page, root):
    kms = root.boto("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/team", TargetKeyId=key["KeyId"])
    page.open("/repositories")
    page.get_by_role("link", name="Create repository").click()
    page.get_by_label("Repository name").fill("keyed/app")
    page.get_by_role("button", name="As command", exact=True).first.click()
    page.get_by_role("radio", name="A key of KMS").check()
    page.get_by_label("Key", exact=True).fill("alias/team")
    command = page.get_by_role("region", name="AWS CLI").inner_text()
    assert "alias/team" in command and "KMS" in command
    page.axe()
    page.get_by_role("button", name="Create repository").click()
    page.heading("keyed/app").wait_for()
    page.get_by_text(key["Arn"], exact=True).wait_for()
    shown = root.ecr.describe_repositories(repositoryNames=["keyed/app"])["repositories"][0]["encryptionConfiguration"]
    assert shown == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    page.check()


def test_by_keyboard_a_repository_is_created_and_pushed_to(page, root):
    page.open("/repositories")
    # The focus starts at the new page's heading.
    expect(page.heading("Repositories", exact=True)).to_be_focused()
    page.tab_to(page.get_by_role("link", name="Create repository"))
    page.press("Enter")
    expect(page.heading("Create repository", exact=True)).to_be_focused()
    page.tab_to(page.get_by_label("Repository name"))
    page.keyboard.type("keyboard/app")
    page.press("Enter")
    page.heading("keyboard/app").wait_for()
    page.tab_to(page.get_by_role("tab", name="Push commands"))
    page.press("ArrowLeft", "Enter")
    page.get_by_text("There are no images").wait_for()
    root.docker.login()
    root.docker.build("keyboard/app:v1")
    root.docker.push("keyboard/app:v1").ok()
    page.tab_to(page.get_by_role("button", name="Refresh"))
    page.press("Enter")
    page.get_by_role("row").filter(has_text="v1").wait_for()
    page.check()


def test_lists_are_paged_by_the_server_and_stand_in_the_address(page, root):
    for number in range(120):
        root.create_repository(f"many/r{number:03}")
    page.open("/repositories")
    rows = page.get_by_role("link", name=re.compile("^many.r"))
    rows.first.wait_for()
    first = rows.all_inner_texts()
    assert 0 < len(first) <= 50, "one page is in memory"
    page.get_by_role("button", name="Next page").first.click()
    page.get_by_role("link", name=first[0], exact=True).wait_for(state="detached")
    assert "page=" in page.url
    second = rows.all_inner_texts()
    assert not set(first) & set(second)
    address = page.url
    page.go_back()
    page.get_by_role("link", name=first[0], exact=True).wait_for()
    # A colleague who gets the address sees the same.
    page.open(address.partition("/console")[2])
    page.get_by_role("link", name=second[0], exact=True).wait_for()

    page.open("/repositories")
    page.get_by_label("Find by name").fill("r11")
    page.get_by_role("link", name="many/r119").wait_for()
    page.get_by_role("link", name="many/r000").wait_for(state="detached")
    page.wait_for_url("**/repositories?filter=r11")
    page.check()


def test_a_statement_of_the_form_lets_another_account_pull(page, berth, root):
    root.create_repository("shared/app")
    root.docker.login()
    root.docker.build("shared/app:v1")
    root.docker.push("shared/app:v1").ok()
    other = berth.create_account("444455556666")
    page.open("/repositories/shared/app?tab=permissions")
    page.get_by_role("button", name="Add statement").click()
    page.get_by_label("Name").fill("theirs")
    page.get_by_label("AWS accounts").fill("444455556666")
    page.get_by_label("Other actions").fill("ecr:BatchGet*\necr:GetDownloadUrlForLayer")
    page.get_by_role("button", name="Review and save").click()
    dialog = page.get_by_role("dialog")
    change = dialog.get_by_role("row").filter(has_text="ecr:BatchGet*")
    assert "Added" in change.inner_text() and "444455556666" in change.inner_text()
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("The policy was saved.", exact=True).wait_for()
    document = json.loads(root.ecr.get_repository_policy(repositoryName="shared/app")["policyText"])
    assert document["Statement"] == [{
        "Sid": "theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": ["ecr:BatchGet*", "ecr:GetDownloadUrlForLayer"],
    }]
    got = other.ecr.batch_get_image(registryId=root.account, repositoryName="shared/app",
                                    imageIds=[{"imageTag": "v1"}])
    assert got["images"], "what the form saved is in force"
    page.check()


def test_a_panel_that_may_not_be_read_says_so_and_the_rest_works(browser, root):
    root.create_repository("partly/app")
    carol = root.create_user("carol", policy(allow(["ecr:DescribeRepositories", "ecr:DescribeImages"], "*")))
    page = browser.page(expect_refusals=True).sign_in(carol, "/repositories/partly/app?tab=permissions")
    page.get_by_text("not authorized to perform: ecr:GetRepositoryPolicy").wait_for()
    explain = page.get_by_role("link", name="Explain")
    assert re.search("/console/denials/[0-9a-f-]+$", explain.get_attribute("href"))
    page.axe()
    page.get_by_role("tab", name="Images").click()
    page.get_by_text("There are no images").wait_for()
    page.check()


def test_what_strangers_pushed_stays_text(page, stranger):
    platform, index = stranger
    page.open("/repositories/strangers/app")
    page.get_by_role("button", name=re.compile("^Show the platforms")).click()
    page.get_by_role("gridcell", name="linux/arm64").wait_for()
    page.get_by_role("gridcell", name="Signature").wait_for()
    page.open(f"/repositories/strangers/app?tab=images&image={platform}")
    page.get_by_role("cell", name=f"COPY {MARKUP}").wait_for()
    page.get_by_role("rowheader", name="javascript:alert(1)").wait_for()
    assert page.locator("main img, img").count() == 0, "markup is text"
    assert page.locator("a[href^='javascript']").count() == 0
    page.open(f"/repositories/strangers/app?tab=images&image={index}")
    page.get_by_role("link", name=re.compile("^linux.arm64")).wait_for()
    page.get_by_role("table", name="Artifacts that refer to this image").get_by_role("cell", name="Signature").wait_for()
    page.open(f"/repositories/{MARKUP}")
    page.heading(MARKUP).wait_for()
    # A name out of an address is the server's to refuse.
    page.problems = [problem for problem in page.problems if not problem.startswith("400 InvalidParameter")]
    page.check()
