# docs/how-to/ci-with-a-role.md, docs/how-to/keyless-ci.md

resource "aws_ecr_repository" "service" {
  name         = "service"
  force_delete = true
}

resource "aws_iam_user" "circleci" {
  name          = "circleci"
  force_destroy = true
}

resource "aws_iam_openid_connect_provider" "ci" {
  url            = var.issuer
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "containerise_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.circleci.arn]
    }
  }
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.ci.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${trimprefix(var.issuer, "https://")}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringLike"
      variable = "${trimprefix(var.issuer, "https://")}:sub"
      values   = ["repo:octo-org/app:*"]
    }
  }
}

resource "aws_iam_role" "containerise" {
  name                 = "containerise"
  description          = "Builds and pushes images"
  max_session_duration = 7200
  assume_role_policy   = data.aws_iam_policy_document.containerise_trust.json
}

resource "aws_iam_role_policy" "containerise" {
  name = "push"
  role = aws_iam_role.containerise.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      { Effect = "Allow", Action = concat(local.pull, local.push), Resource = aws_ecr_repository.service.arn },
    ]
  })
}
