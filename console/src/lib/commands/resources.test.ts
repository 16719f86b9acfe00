import { expect, test } from "vitest";
import type { Change } from "./change";
import { resourcesOf } from "./resources";
import { terraform } from "./terraform";

const iam = (operation: string, input: Change["input"]): Change => ({ service: "iam", operation, input });

test("a user, its group and policies are resources that refer to the user", () => {
  const text = terraform(
    resourcesOf([
      iam("CreateUser", { UserName: "alice", Path: "/team/", Tags: [{ Key: "owner", Value: "core" }] }),
      iam("AddUserToGroup", { GroupName: "pushers", UserName: "alice" }),
      iam("PutUserPolicy", { UserName: "alice", PolicyName: "registry", PolicyDocument: '{"Version":"2012-10-17"}' }),
      iam("CreateAccessKey", { UserName: "alice" }),
    ]),
  );
  expect(text).toContain('resource "aws_iam_user" "alice" {\n  name = "alice"\n  path = "/team/"');
  expect(text).toContain('user   = aws_iam_user.alice.name\n  groups = ["pushers"]');
  expect(text).toContain('resource "aws_iam_user_policy" "alice-registry"');
  expect(text).toContain("policy = <<-JSON");
  expect(text).toContain('resource "aws_iam_access_key" "alice"');
});

test("what is made elsewhere is named", () => {
  const [attachment] = resourcesOf([
    iam("AttachRolePolicy", { RoleName: "ci", PolicyArn: "arn:aws:iam::123456789012:policy/team/push" }),
  ]);
  expect(attachment).toEqual({
    head: ["resource", "aws_iam_role_policy_attachment", "ci-push"],
    attributes: { role: "ci", policy_arn: "arn:aws:iam::123456789012:policy/team/push" },
  });
});

test("a repository has its blocks", () => {
  const text = terraform(
    resourcesOf([
      {
        service: "ecr",
        operation: "CreateRepository",
        input: {
          repositoryName: "team/app",
          imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
          imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
          imageScanningConfiguration: { scanOnPush: true },
          tags: [{ Key: "a", Value: "b" }],
        },
      },
    ]),
  );
  for (const part of ['"aws_ecr_repository" "team_app"', "image_tag_mutability_exclusion_filter {", "scan_on_push = true", '"a" = "b"']) {
    expect(text).toContain(part);
  }
});

test("a hostile name is text", () => {
  const name = '${file("/etc/passwd")}" }\nresource "x" "y" {';
  const text = terraform(
    resourcesOf([iam("CreateUser", { UserName: name }), iam("CreateAccessKey", { UserName: name })]),
  );
  expect(text).not.toMatch(/(^|[^$])\$\{/);
  expect(text.match(/^resource /gm)).toHaveLength(2);
});

test("a password is in no resource, and a removal is none", () => {
  const text = terraform(resourcesOf([iam("CreateLoginProfile", { UserName: "u", Password: "hunter2" })]));
  expect(text).not.toContain("hunter2");
  expect(resourcesOf([iam("DetachUserPolicy", { UserName: "u", PolicyArn: "a" })])).toEqual([]);
});
