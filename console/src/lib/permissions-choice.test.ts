import { describe, expect, it } from "vitest";
import { choiceProblems, inlinePolicyOf, noPermissions } from "./permissions-choice";

const registry = { partition: "aws", region: "us-east-1", account: "123456789012" };

describe("choice of permissions", () => {
  it("asks each kind for what it needs", () => {
    expect(choiceProblems(noPermissions)).toEqual({});
    expect(choiceProblems({ ...noPermissions, kind: "template" })).toEqual({ repositories: "missing" });
    expect(choiceProblems({ ...noPermissions, kind: "template", repositories: "App" })).toEqual({
      repositories: "characters",
    });
    expect(choiceProblems({ ...noPermissions, kind: "managed" })).toEqual({ arns: { kind: "missing" } });
    expect(choiceProblems({ ...noPermissions, kind: "json", document: "[]", policyName: "" })).toEqual({
      policyName: { kind: "missing" },
      document: "notJson",
    });
    expect(choiceProblems({ ...noPermissions, kind: "json", document: "{}" })).toEqual({});
  });

  it("writes the inline policy", () => {
    const choice = { ...noPermissions, kind: "template", repositories: "app, web" } as const;
    expect(inlinePolicyOf(choice, registry)).toContain("repository/web");
    expect(inlinePolicyOf({ ...noPermissions, kind: "json", document: "{}" }, registry)).toBe("{}");
    expect(inlinePolicyOf({ ...noPermissions, kind: "managed", arns: ["x"] }, registry)).toBeUndefined();
  });
});
