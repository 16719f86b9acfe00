"""Settings of a registry: account settings, scanning, pull-time exclusions, creation templates and create on push.

With the AWS CLI, boto3, docker and Terraform.
"""

import json

import pytest

from berth import images
from berth.audit import events
from berth.people import failing
from berth.policies import allow, policy, push_and_pull
from berth.server import Server
from berth.service import MODEL
from berth.terraform import Terraform


@pytest.fixture(scope="module")
def berth(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("settings")) as server:
        yield server


@pytest.fixture(scope="module")
def root(berth):
    return berth.root


def cli(person, *arguments):
    """The answer of an AWS CLI command."""
    out = person.aws("ecr", *arguments).ok().out
    return json.loads(out) if out.strip() else None


def test_account_settings_by_the_cli(root):
    for name, value in [("BASIC_SCAN_TYPE_VERSION", "CLAIR"), ("REGISTRY_POLICY_SCOPE", "V1"), ("BLOB_MOUNTING", "DISABLED")]:
        default = cli(root, "get-account-setting", "--name", name)["value"]
        put = cli(root, "put-account-setting", "--name", name, "--value", value)
        assert put == {"name": name, "value": value}
        assert cli(root, "get-account-setting", "--name", name)["value"] == value
        cli(root, "put-account-setting", "--name", name, "--value", default)
    failing(root.ecr.put_account_setting, "InvalidParameterException", name="REGISTRY_POLICY_SCOPE", value="V3")


def test_scanning_rules_by_the_cli(root):
    root.create_repository("scanned/prod-app")
    root.create_repository("scanned/other")
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "prod", "filterType": "WILDCARD"}]}]
    cli(root, "put-registry-scanning-configuration", "--scan-type", "BASIC", "--rules", json.dumps(rules))
    shown = cli(root, "get-registry-scanning-configuration")["scanningConfiguration"]
    assert shown == {"scanType": "BASIC", "rules": rules}
    found = cli(root, "batch-get-repository-scanning-configuration", "--repository-names", "scanned/prod-app", "scanned/other")
    plans = {one["repositoryName"]: one for one in found["scanningConfigurations"]}
    assert plans["scanned/prod-app"]["scanFrequency"] == "SCAN_ON_PUSH"
    assert plans["scanned/prod-app"]["appliedScanFilters"] == rules[0]["repositoryFilters"]
    assert plans["scanned/other"]["scanFrequency"] == "MANUAL"
    continuous = [dict(rules[0], scanFrequency="CONTINUOUS_SCAN")]
    refused = failing(root.ecr.put_registry_scanning_configuration, "InvalidParameterException", scanType="BASIC", rules=continuous)
    assert "Invalid scan frequency for scanType BASIC: CONTINUOUS_SCAN" in refused["Message"]


def test_pull_time_exclusions_by_the_cli(root):
    arn = f"arn:aws:iam::{root.account}:role/scanner"
    assert cli(root, "register-pull-time-update-exclusion", "--principal-arn", arn)["principalArn"] == arn
    failing(root.ecr.register_pull_time_update_exclusion, "ExclusionAlreadyExistsException", principalArn=arn)
    assert cli(root, "list-pull-time-update-exclusions")["pullTimeUpdateExclusions"] == [arn]
    cli(root, "deregister-pull-time-update-exclusion", "--principal-arn", arn)
    failing(root.ecr.deregister_pull_time_update_exclusion, "ExclusionNotFoundException", principalArn=arn)


def test_a_push_creates_a_repository_as_its_template_says(root, tmp_path):
    made = cli(root, "create-repository-creation-template", "--prefix", "team", "--applied-for", "CREATE_ON_PUSH",
               "--image-tag-mutability", "IMMUTABLE")
    assert made["repositoryCreationTemplate"]["appliedFor"] == ["CREATE_ON_PUSH"]
    create = allow("ecr:CreateRepository", root.repository_arn("team/*"))
    maker = root.create_user("maker", policy(*push_and_pull("team/*", "other/*"), create))
    pusher = root.create_user("pusher", policy(*push_and_pull("team/*", "other/*")))
    layout = images.umoci_layout(tmp_path / "image", "created by a push")
    for person in (maker, pusher):
        person.skopeo.login()
    for person, reference in [(pusher, "team/app:v1"), (maker, "other/app:v1")]:
        refused = person.skopeo.push(layout, reference)
        name = reference.partition(":")[0]
        refused.failed(f"The repository with name '{name}' does not exist")
    maker.skopeo.push(layout, "team/app:v1").ok()
    shown = root.ecr.describe_repositories(repositoryNames=["team/app"])["repositories"][0]
    assert shown["imageTagMutability"] == "IMMUTABLE"
    # It is there now, so that everybody who may push to it does.
    pusher.skopeo.push(layout, "team/app:v2").ok()
    created = events(root.server, eventName="CreateRepository")
    assert created[-1]["requestParameters"]["repositoryName"] == "team/app"
    assert created[-1]["userIdentity"]["arn"] == maker.arn
    cli(root, "delete-repository-creation-template", "--prefix", "team")
    assert maker.skopeo.push(layout, "team/another:v1").seen().code != 0


def service(person, monkeypatch):
    """A client of the service `berth`, which boto3 knows once it has the model."""
    monkeypatch.setenv("AWS_DATA_PATH", str(MODEL.parent.parent.parent))
    return person.boto("berth")


def test_a_read_only_repository_tells_a_pusher_why(root, tmp_path, monkeypatch):
    root.create_repository("frozen")
    layout = images.umoci_layout(tmp_path / "image", "before the freeze")
    root.skopeo.login()
    root.skopeo.push(layout, "frozen:v1").ok()
    berth = service(root, monkeypatch)
    berth.put_read_only_mode(repositoryName="frozen", enabled=True, reason="release 1.0")
    other = images.umoci_layout(tmp_path / "other", "after the freeze")
    refused = root.skopeo.push(other, "frozen:v2")
    refused.failed("is in read-only mode: release 1.0")
    root.skopeo.pull("frozen:v1", f"dir:{tmp_path}/pulled").ok()
    failing(root.ecr.delete_repository, "ReadOnlyModeException", repositoryName="frozen", force=True)
    root.server.stop()
    root.server.start()
    assert berth.get_read_only_mode(repositoryName="frozen")["readOnlyMode"]["reason"] == "release 1.0"
    berth.put_read_only_mode(repositoryName="frozen", enabled=False)
    root.skopeo.login()
    root.skopeo.push(other, "frozen:v2").ok()


def test_a_read_only_server_refuses_writes(root, monkeypatch):
    berth = service(root, monkeypatch)
    berth.put_read_only_mode(enabled=True, reason="maintenance")
    for call, arguments in [(root.ecr.create_repository, {"repositoryName": "late"}), (root.iam.create_user, {"UserName": "late"})]:
        error = failing(call, "ReadOnlyModeException", **arguments)
        assert error["Message"] == "The server is in read-only mode: maintenance"
    assert root.ecr.describe_repositories()["repositories"]
    berth.put_read_only_mode(enabled=False)
    root.create_repository("late")


TERRAFORM = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "mutability" { type = string }

provider "aws" {
  region                      = "us-east-1"
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
  endpoints {
    ecr = var.endpoint
    iam = var.endpoint
    sts = var.endpoint
  }
}

resource "aws_ecr_account_setting" "scope" {
  name  = "REGISTRY_POLICY_SCOPE"
  value = "V2"
}

resource "aws_ecr_registry_scanning_configuration" "this" {
  scan_type = "BASIC"
  rule {
    scan_frequency = "SCAN_ON_PUSH"
    repository_filter {
      filter      = "prod*"
      filter_type = "WILDCARD"
    }
  }
}

resource "aws_iam_role" "templates" {
  name               = "ecr-templates"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ecr.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_ecr_repository_creation_template" "team" {
  prefix               = "team-tf"
  description          = "by Terraform"
  image_tag_mutability = var.mutability
  custom_role_arn      = aws_iam_role.templates.arn
  applied_for          = ["CREATE_ON_PUSH", "REPLICATION"]
  resource_tags        = { team = "a" }
  encryption_configuration {
    encryption_type = "AES256"
  }
}
"""


def test_terraform_keeps_the_settings(root, tmp_path):
    terraform = Terraform(root, tmp_path)
    (tmp_path / "main.tf").write_text(TERRAFORM)
    for mutability in ("IMMUTABLE", "MUTABLE"):
        terraform.apply(mutability=mutability)
        template = root.ecr.describe_repository_creation_templates(prefixes=["team-tf"])["repositoryCreationTemplates"][0]
        assert (template["imageTagMutability"], template["resourceTags"]) == (mutability, [{"Key": "team", "Value": "a"}])
    terraform.destroy(mutability="MUTABLE")
    assert root.ecr.describe_repository_creation_templates(prefixes=["team-tf"])["repositoryCreationTemplates"] == []
    assert root.ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
