import { describe, expect, it } from "vitest";
import { addStatement, rangeOf, readPolicy, removeStatement, setCondition, setMember, setValues } from "./document";

const TABBED = '{\n\t"Version": "2012-10-17",\n\t"Statement": [\n\t\t{"Sid": "a",   "Effect": "Allow", "Action": "ecr:*", "Resource": "*"}\n\t]\n}\n';

describe("readPolicy", () => {
  it("reads one statement and lists alike", () => {
    const one = readPolicy('{"Statement": {"Effect": "Deny", "NotAction": "iam:*", "Principal": "*"}}');
    expect(one.statements).toEqual([
      {
        effect: "Deny",
        actions: ["iam:*"],
        notAction: true,
        resources: undefined,
        notResource: false,
        principals: { AWS: ["*"] },
        notPrincipal: false,
        conditions: [],
      },
    ]);
    const text = '{"Statement": [{"Effect": "Allow", "Action": ["a:B"], "Condition": {"Bool": {"k": true}, "StringLike": {"x": ["1", "2"]}}}]}';
    expect(readPolicy(text).statements?.[0]?.conditions).toEqual([
      { operator: "Bool", key: "k", values: ["true"] },
      { operator: "StringLike", key: "x", values: ["1", "2"] },
    ]);
  });

  it("says where a text is no JSON", () => {
    expect(readPolicy('{"Statement": ').problem?.kind).toBe("syntax");
    expect(readPolicy("[]").problem?.kind).toBe("form");
    expect(readPolicy('{"Statement": [1]}').problem?.kind).toBe("form");
  });
});

describe("edits", () => {
  it("keep the formatting of everything else", () => {
    const changed = setMember(TABBED, 0, "Sid", "b");
    expect(changed).toBe(TABBED.replace('"a"', '"b"'));
    const several = setValues(TABBED, 0, "Resource", ["x", "y"]);
    expect(several).toContain('{"Sid": "a",   "Effect": "Allow"');
    expect(readPolicy(several).statements?.[0]?.resources).toEqual(["x", "y"]);
  });

  it("add statements, also to one that stands alone and to a text that is empty", () => {
    const added = addStatement(TABBED, { Effect: "Deny", Action: "ecr:PutImage", Resource: "*" });
    expect(added.startsWith(TABBED.slice(0, TABBED.indexOf("\n\t]")))).toBe(true);
    expect(added).toContain('\n\t\t{\n\t\t\t"Effect": "Deny"');
    const alone = addStatement('{"Statement": {"Effect": "Allow"}}', { Effect: "Deny" });
    expect(readPolicy(alone).statements?.map((statement) => statement.effect)).toEqual(["Allow", "Deny"]);
    expect(readPolicy(addStatement("", { Effect: "Allow" })).statements).toHaveLength(1);
  });

  it("remove statements and conditions with the blocks that become empty", () => {
    expect(readPolicy(removeStatement(TABBED, 0)).statements).toEqual([]);
    let text = setCondition(TABBED, 0, "Bool", "aws:SecureTransport", ["true"]);
    text = setCondition(text, 0, "StringEquals", "aws:PrincipalTag/team", ["a", "b"]);
    expect(readPolicy(text).statements?.[0]?.conditions).toHaveLength(2);
    text = setCondition(text, 0, "Bool", "aws:SecureTransport", []);
    expect(text).not.toContain("Bool");
    expect(setCondition(text, 0, "StringEquals", "aws:PrincipalTag/team", [])).not.toContain("Condition");
  });

  it("find the range of a value", () => {
    const range = rangeOf(TABBED, ["Statement", 0, "Action"]);
    expect(TABBED.slice(range?.from, range?.to)).toBe('"ecr:*"');
    expect(rangeOf(TABBED, ["Statement", 3])).toBeUndefined();
  });
});
