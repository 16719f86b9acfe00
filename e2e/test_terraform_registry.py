"""Terraform keeps a registry: keys, encrypted repositories, secrets, pull through cache rules, replication."""

import json

from berth import images
from berth.terraform import Terraform

MAIN = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "description" { type = string }
variable "token" { type = string }

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  endpoints {
    ecr            = var.endpoint
    iam            = var.endpoint
    kms            = var.endpoint
    secretsmanager = var.endpoint
    sts            = var.endpoint
  }
}

data "aws_caller_identity" "this" {}

resource "aws_kms_key" "images" {
  description             = var.description
  enable_key_rotation     = true
  deletion_window_in_days = 7
  tags                    = { team = "red" }
}

resource "aws_kms_alias" "images" {
  name          = "alias/images"
  target_key_id = aws_kms_key.images.key_id
}

data "aws_kms_key" "by_alias" {
  key_id = aws_kms_alias.images.name
}

resource "aws_ecr_repository" "app" {
  name = "prod/app"
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = data.aws_kms_key.by_alias.arn
  }
}

resource "aws_secretsmanager_secret" "hub" {
  name                    = "ecr-pullthroughcache/hub"
  description             = var.description
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "hub" {
  secret_id     = aws_secretsmanager_secret.hub.id
  secret_string = jsonencode({ username = "me", accessToken = var.token })
}

resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "hub"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = aws_secretsmanager_secret.hub.arn
}

resource "aws_ecr_replication_configuration" "this" {
  replication_configuration {
    rule {
      destination {
        region      = "eu-west-1"
        registry_id = data.aws_caller_identity.this.account_id
      }
      repository_filter {
        filter      = "prod/"
        filter_type = "PREFIX_MATCH"
      }
    }
  }
}

output "key" {
  value = aws_kms_key.images.arn
}
"""


def test_keys_secrets_rules_and_replication(root, tmp_path):
    (tmp_path / "main.tf").write_text(MAIN)
    terraform = Terraform(root, tmp_path)
    kms, secrets = root.boto("kms"), root.boto("secretsmanager")
    for description, token in [("first", "one"), ("second", "two")]:
        terraform.apply(description=description, token=token)
        key = kms.describe_key(KeyId="alias/images")["KeyMetadata"]
        assert (key["Arn"], key["Description"], key["KeyState"]) == (terraform.output("key"), description, "Enabled")
        value = secrets.get_secret_value(SecretId="ecr-pullthroughcache/hub")["SecretString"]
        assert json.loads(value) == {"username": "me", "accessToken": token}
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
    shown, = root.ecr.describe_repositories()["repositories"]
    assert shown["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    rule, = root.ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert rule["credentialArn"] == secrets.describe_secret(SecretId="ecr-pullthroughcache/hub")["ARN"]
    image = images.Image()
    root.raw().push("prod/app", "v1", image).expect(201)
    root.raw().pull("prod/app", image)
    root.ecr.batch_delete_image(repositoryName="prod/app", imageIds=[{"imageTag": "v1"}])

    terraform.destroy(description="second", token="two")
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert root.ecr.describe_registry()["replicationConfiguration"]["rules"] == []
    assert secrets.list_secrets()["SecretList"] == []
