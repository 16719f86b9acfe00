# docs/how-to/push-as-a-user.md

resource "aws_ecr_repository" "app" {
  name                 = "app"
  image_tag_mutability = var.tag_mutability
  force_delete         = true
  tags                 = { team = "core" }
}

resource "aws_ecr_lifecycle_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Expire untagged images after two weeks"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 14
        }
        action = { type = "expire" }
      }
    ]
  })
}

resource "aws_iam_user" "alice" {
  name = "alice"
  tags = { team = "core" }
}

data "aws_iam_policy_document" "push_app" {
  statement {
    sid       = "Login"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid       = "PushAndPull"
    actions   = concat(local.pull, local.push)
    resources = [aws_ecr_repository.app.arn]
  }
}

resource "aws_iam_user_policy" "alice" {
  name   = "push-and-pull-app"
  user   = aws_iam_user.alice.name
  policy = data.aws_iam_policy_document.push_app.json
}

resource "aws_iam_access_key" "alice" {
  user = aws_iam_user.alice.name
}

output "alice_access_key_id" {
  value = aws_iam_access_key.alice.id
}

output "alice_secret_access_key" {
  value     = aws_iam_access_key.alice.secret
  sensitive = true
}
