import { describe, expect, it } from "vitest";
import { policies } from "../../strings/policies";
import { policyChanges } from "./changes";

const policy = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: "Allow", Action, Resource });
const words = (before: unknown, after: unknown) => policyChanges(before, after)?.map(policies.change);

describe("differences of policies", () => {
  it("names each action and resource that came or went", () => {
    expect(
      words(policy(allow(["ecr:PutImage", "ecr:ListImages"], "a")), policy(allow("ecr:ListImages", ["a", "b"]))),
    ).toEqual(["Removes: Allow ecr:PutImage on a", "Adds: Allow ecr:ListImages on b"]);
  });

  it("says that an effect or a condition changed", () => {
    expect(words(policy(allow("x:A", "a")), policy({ ...allow("x:A", "a"), Effect: "Deny" }))).toEqual([
      "Changes the effect of x:A on a from Allow to Deny",
    ]);
    const conditional = (value: string) => ({ ...allow("x:A", "a"), Condition: { StringEquals: { "aws:SourceVpc": value } } });
    expect(words(policy(allow("x:A", "a")), policy(conditional("v")))).toEqual([
      "Changes the conditions of Allow x:A on a from none to StringEquals aws:SourceVpc = v",
    ]);
    expect(words(policy(conditional("v")), policy(conditional("w")))).toEqual([
      "Changes the conditions of Allow x:A on a from StringEquals aws:SourceVpc = v to StringEquals aws:SourceVpc = w",
    ]);
  });

  it("names principals where a statement has them", () => {
    const trust = (Principal: unknown) => policy({ Effect: "Allow", Principal, Action: "sts:AssumeRole" });
    expect(words(trust({ AWS: "u" }), trust({ AWS: ["u", "v"], Service: "s" }))).toEqual([
      "Adds: Allow sts:AssumeRole for v",
      "Adds: Allow sts:AssumeRole for Service s",
    ]);
    expect(words(trust({ AWS: "u" }), trust("*"))).toEqual([
      "Removes: Allow sts:AssumeRole for u",
      "Adds: Allow sts:AssumeRole for *",
    ]);
  });

  it("sees no difference in another form of the same", () => {
    expect(
      words(policy(allow(["x:A", "x:B"], "a")), policy(allow("X:b", ["a"]), { ...allow("x:a", "a"), Sid: "S" })),
    ).toEqual([]);
  });

  it("takes an inverse element into account", () => {
    const inverse = { Effect: "Deny", NotAction: ["x:A", "x:B"], Resource: "*" };
    expect(words(policy(), policy(inverse))).toEqual(["Adds: Deny all but x:A, x:B on *"]);
  });

  it("has no answer for what is no document", () => {
    expect(policyChanges(undefined, policy())).toBeUndefined();
  });
});

/** Documents that a seed gives. */
function documents(count: number) {
  let state = 20_261_127;
  const next = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
  const some = (values: string[]) => values.filter(() => next(2) === 0);
  const statement = () => ({
    Effect: next(3) === 0 ? "Deny" : "Allow",
    [next(5) === 0 ? "NotAction" : "Action"]: some(["x:A", "x:B", "x:C"]),
    [next(5) === 0 ? "NotResource" : "Resource"]: some(["a", "b"]),
    ...(next(3) === 0 ? { Condition: { StringEquals: { k: some(["v", "w"]) } } } : {}),
    ...(next(4) === 0 ? { Principal: { AWS: some(["p", "q"]) } } : {}),
  });
  return Array.from({ length: count }, () => policy(...Array.from({ length: next(4) }, statement)));
}

describe("differences of any policies", () => {
  const all = documents(40);

  it("are none between a document and itself, in whatever order and form", () => {
    for (const document of all) {
      expect(policyChanges(document, document)).toEqual([]);
      const turned = policy(...document.Statement.toReversed());
      expect(policyChanges(document, turned)).toEqual([]);
      const split = (document.Statement as Record<string, unknown>[]).flatMap((statement) =>
        Array.isArray(statement["Action"])
          ? (statement["Action"] as string[]).map((Action) => ({ ...statement, Action }))
          : [statement],
      );
      expect(policyChanges(document, policy(...split))).toEqual([]);
    }
  });

  it("turn around with the documents", () => {
    const turn: Record<string, string> = { added: "removed", removed: "added", effect: "effect", conditions: "conditions" };
    const kinds = (changes: ReturnType<typeof policyChanges>) => changes?.map(({ kind }) => kind).sort();
    for (const [at, before] of all.entries()) {
      const after = all[(at + 1) % all.length];
      const back = policyChanges(after, before)?.map(({ kind }) => turn[kind]).sort();
      expect(kinds(policyChanges(before, after))).toEqual(back);
    }
  });

  it("name each statement that is added to a document", () => {
    for (const document of all) {
      const more = policy(...document.Statement, allow("new:Action", "new"));
      expect(words(document, more)).toEqual(["Adds: Allow new:Action on new"]);
      expect(words(more, document)).toEqual(["Removes: Allow new:Action on new"]);
    }
  });
});
