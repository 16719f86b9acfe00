# docs/how-to/pull-only.md

resource "aws_ecr_repository" "deployed" {
  for_each     = toset(["web", "my-app-api", "my-app-worker"])
  name         = each.key
  force_delete = true
}

resource "aws_iam_policy" "deployments" {
  name = "deployments"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "Login", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Sid    = "Pull"
        Effect = "Allow"
        Action = local.pull
        Resource = [
          "arn:aws:ecr:us-east-1:${data.aws_caller_identity.current.account_id}:repository/web",
          "arn:aws:ecr:us-east-1:${data.aws_caller_identity.current.account_id}:repository/my-app-*",
        ]
      },
    ]
  })
}

resource "aws_iam_user" "deploy" {
  name          = "deploy"
  force_destroy = true
}

resource "aws_iam_group" "deployments" {
  name = "deployments"
}

resource "aws_iam_group_policy_attachment" "deployments" {
  group      = aws_iam_group.deployments.name
  policy_arn = aws_iam_policy.deployments.arn
}

resource "aws_iam_user_group_membership" "deploy" {
  user   = aws_iam_user.deploy.name
  groups = [aws_iam_group.deployments.name]
}
