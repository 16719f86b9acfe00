import { describe, expect, it } from "vitest";
import { addStatement, insertStatements, rangeOf, readPolicy, removeStatement, setCondition, setMember, setValues } from "./document";

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

describe("inserting statements", () => {
  const text = '{\n  "Version": "2012-10-17",\n  "Statement": [\n    { "Sid": "A" },\n    { "Sid": "B" }\n  ]\n}';
  const sids = (document: string) =>
    (JSON.parse(document) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid).join("");
  const added = [{ Sid: "X" }, { Sid: "Y" }];

  it("puts them behind the statement at the cursor, and keeps the formatting of the others", () => {
    const changed = insertStatements(text, added, text.indexOf('"A"'));
    expect(sids(changed)).toBe("AXYB");
    expect(changed).toContain('    { "Sid": "A" },\n    {\n      "Sid": "X"\n    },\n');
  });

  it("puts them first, last, or at the end without a cursor in the list", () => {
    expect(sids(insertStatements(text, added, text.indexOf("[") + 2))).toBe("XYAB");
    expect(sids(insertStatements(text, added, text.indexOf('"B"')))).toBe("ABXY");
    expect(sids(insertStatements(text, added, 0))).toBe("ABXY");
    expect(sids(insertStatements(text, added, undefined))).toBe("ABXY");
  });

  it("makes a list of one statement, and a document of nothing", () => {
    expect(sids(insertStatements('{"Statement": {"Sid": "A"}}', added, 20))).toBe("AXY");
    expect(sids(insertStatements("", added, 0))).toBe("XY");
    expect(sids(insertStatements('{"Statement": []}', added, 15))).toBe("XY");
  });

  it("inserts at every offset without loss", () => {
    for (let offset = 0; offset <= text.length; offset += 1) {
      const found = sids(insertStatements(text, added, offset));
      expect(found.replace("XY", "")).toBe("AB");
      expect(found).toContain("XY");
    }
  });
});
