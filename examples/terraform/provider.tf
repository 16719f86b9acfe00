terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "endpoint" {
  description = "The server."
  type        = string
  default     = "https://registry.example.com"
}

variable "partner_account" {
  description = "The account that pulls, and whose role comes with an external id."
  type        = string
  default     = "444455556666"
}

variable "networks" {
  description = "Where pushes to the internal repository may come from."
  type        = list(string)
  default     = ["10.0.0.0/8", "192.0.2.7/32"]
}

variable "tag_mutability" {
  description = "Whether tags of the repository app can be moved."
  type        = string
  default     = "MUTABLE"
}

variable "issuer" {
  description = "The OpenID Connect issuer whose jobs push."
  type        = string
  default     = "https://token.actions.githubusercontent.com"
}

provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true

  endpoints {
    ecr = var.endpoint
    iam = var.endpoint
    sts = var.endpoint
  }
}

data "aws_caller_identity" "current" {}

locals {
  pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
  push = ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"]
}
