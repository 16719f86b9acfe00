# docs/how-to/hosts-with-a-role.md

resource "aws_ecr_repository" "builds" {
  name         = "builds"
  force_delete = true
}

resource "aws_iam_policy" "build_hosts" {
  name        = "build-hosts"
  description = "Build hosts push to builds"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      { Effect = "Allow", Action = concat(local.pull, local.push), Resource = aws_ecr_repository.builds.arn },
    ]
  })
}

resource "aws_iam_role" "build_hosts" {
  name = "build-hosts"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "build_hosts" {
  role       = aws_iam_role.build_hosts.name
  policy_arn = aws_iam_policy.build_hosts.arn
}

resource "aws_iam_instance_profile" "build_hosts" {
  name = "build-hosts"
  role = aws_iam_role.build_hosts.name
  tags = { purpose = "builds" }
}
