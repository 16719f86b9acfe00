# docs/how-to/repository-permissions.md

resource "aws_ecr_repository" "shared" {
  name         = "shared"
  force_delete = true
}

resource "aws_ecr_repository_policy" "shared" {
  repository = aws_ecr_repository.shared.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TheOtherAccountPulls"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.partner_account}:root" }
      Action    = local.pull
    }]
  })
}

resource "aws_ecr_repository" "internal" {
  name         = "internal"
  force_delete = true
}

resource "aws_ecr_repository_policy" "internal" {
  repository = aws_ecr_repository.internal.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyFromOurNetwork"
      Effect    = "Deny"
      Principal = "*"
      Action    = local.push
      Condition = { NotIpAddress = { "aws:SourceIp" = var.networks } }
    }]
  })
}

resource "aws_iam_role" "partner" {
  name = "partner"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.partner_account}:root" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = "7c1f0d" } }
    }]
  })
}

resource "aws_iam_role_policy" "partner" {
  name = "pull"
  role = aws_iam_role.partner.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Login", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      { Sid = "Pull", Effect = "Allow", Action = local.pull, Resource = aws_ecr_repository.shared.arn },
    ]
  })
}
