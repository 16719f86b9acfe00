import { expect, test } from "vitest";
import { attachChange, boundaryChange, grantChanges, putInlineChange, tagChanges } from "./iam-changes";
import { noPermissions } from "./permissions-choice";

const registry = { partition: "aws", region: "eu-central-1", account: "123456789012" };

test("each kind of holder has its operation and member", () => {
  expect(putInlineChange({ kind: "group", name: "g" }, "p", "{}")).toEqual({
    service: "iam",
    operation: "PutGroupPolicy",
    input: { GroupName: "g", PolicyName: "p", PolicyDocument: "{}" },
  });
  expect(attachChange({ kind: "role", name: "r" }, "arn")).toMatchObject({
    operation: "AttachRolePolicy",
    input: { RoleName: "r", PolicyArn: "arn" },
  });
  expect(boundaryChange({ kind: "user", name: "u" }, undefined)).toMatchObject({
    operation: "DeleteUserPermissionsBoundary",
    input: { UserName: "u" },
  });
});

test("permissions of a choice are calls", () => {
  const holder = { kind: "user", name: "u" } as const;
  expect(grantChanges(holder, noPermissions, registry)).toEqual([]);
  const template = grantChanges(holder, { ...noPermissions, kind: "template", repositories: "app" }, registry);
  expect(template.map(({ operation }) => operation)).toEqual(["PutUserPolicy"]);
  expect(template[0]?.input["PolicyDocument"]).toContain("repository/app");
  const managed = grantChanges(holder, { ...noPermissions, kind: "managed", arns: ["a", "b"] }, registry);
  expect(managed.map(({ input }) => input["PolicyArn"])).toEqual(["a", "b"]);
});

test("tags that go are removed first, and equal ones stay", () => {
  const before = [{ key: "a", value: "1" }, { key: "b", value: "1" }, { key: "c", value: "1" }];
  const after = [{ key: "a", value: "1" }, { key: "b", value: "2" }, { key: "d", value: "1" }];
  expect(tagChanges({ kind: "policy", name: "arn" }, before, after)).toEqual([
    { service: "iam", operation: "UntagPolicy", input: { PolicyArn: "arn", TagKeys: ["c"] } },
    {
      service: "iam",
      operation: "TagPolicy",
      input: { PolicyArn: "arn", Tags: [{ Key: "b", Value: "2" }, { Key: "d", Value: "1" }] },
    },
  ]);
  expect(tagChanges({ kind: "user", name: "u" }, before, before)).toEqual([]);
});
