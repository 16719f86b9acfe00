import { expect, test } from "vitest";
import { proposedPlace } from "./place";

test("finds the place of each operation that a proposal names", () => {
  expect(proposedPlace({ operation: "iam:PutGroupPolicy", holderName: "team", policyName: "p" })).toEqual({
    kind: "inline",
    holder: { kind: "group", name: "team" },
    policyName: "p",
  });
  expect(proposedPlace({ operation: "iam:UpdateAssumeRolePolicy", holderName: "ci" })).toEqual({ kind: "trust", roleName: "ci" });
  expect(proposedPlace({ operation: "iam:CreatePolicyVersion", policyArn: "arn" })).toEqual({ kind: "managed", arn: "arn" });
  expect(
    proposedPlace({ operation: "ecr:SetRepositoryPolicy", resourceArn: "arn:aws:ecr:us-east-1:1:repository/team/app" }),
  ).toEqual({ kind: "repository", name: "team/app" });
  expect(proposedPlace({ operation: "organizations:UpdatePolicy" })).toBeUndefined();
});
