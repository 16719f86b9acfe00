import { describe, expect, it } from "vitest";
import { policyChanges } from "./changes";

const policy = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: "Allow", Action, Resource });
const words = (before: unknown, after: unknown) =>
  policyChanges(before, after)?.map(
    ({ kind, effect, action, resource, isConditional }) =>
      `${kind} ${effect} ${action} ${resource}${isConditional ? " if" : ""}`,
  );

describe("differences of policies", () => {
  it("names each action and resource that came or went", () => {
    expect(
      words(policy(allow(["ecr:PutImage", "ecr:ListImages"], "a")), policy(allow("ecr:ListImages", ["a", "b"]))),
    ).toEqual(["removed Allow ecr:PutImage a", "added Allow ecr:ListImages b"]);
  });

  it("sees no difference in another form of the same", () => {
    expect(
      words(policy(allow(["x:A", "x:B"], "a")), policy(allow("X:b", ["a"]), { ...allow("x:a", "a"), Sid: "S" })),
    ).toEqual([]);
  });

  it("takes a condition and an inverse element into account", () => {
    const conditional = { ...allow("x:A", "a"), Condition: { Bool: { "aws:SecureTransport": "true" } } };
    expect(words(policy(allow("x:A", "a")), policy(conditional))).toEqual([
      "removed Allow x:A a",
      "added Allow x:A a if",
    ]);
    const inverse = { Effect: "Deny", NotAction: ["x:A", "x:B"], Resource: "*" };
    expect(words(policy(), policy(inverse))).toEqual(["added Deny all but x:A, x:B *"]);
  });

  it("has no answer for what is no document", () => {
    expect(policyChanges(undefined, policy())).toBeUndefined();
  });
});
