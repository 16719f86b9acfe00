import { describe, expect, it } from "vitest";
import { actions, conditionKeys, loadTables, placeAt, resources } from "./completion";

const TEXT = `{"Version": "2012-10-17", "Statement": [{"Effect": "A", "Action": ["ecr:"], "Resource": "",
  "Principal": {"AWS": ""}, "Condition": {"String": {"aws:": ""}}, "S": 1}]}`;

const at = (what: string, inside = 1) => placeAt(TEXT, TEXT.indexOf(what) + inside);

describe("placeAt", () => {
  it("knows what is written where", () => {
    expect(at('"A"')).toBe("effect");
    expect(at('"ecr:"')).toBe("action");
    expect(at('"Resource": "', 13)).toBe("resource");
    expect(at('"String"', 3)).toBe("operator");
    expect(at('"aws:"', 3)).toBe("conditionKey");
    expect(at('"AWS": "', 8)).toBe("principal");
    expect(at('"S": 1', 2)).toBe("member");
    expect(at('"2012')).toBeUndefined();
  });
});

describe("suggestions", () => {
  it("come from the tables of the services that are served", async () => {
    const tables = await loadTables();
    expect(Object.keys(tables).sort()).toEqual(["access-analyzer", "berth", "ecr", "iam", "kms", "organizations", "secretsmanager", "sts"]);
    expect(actions(tables, "e").map((one) => one.text)).toContain("ecr:");
    const found = actions(tables, "ecr:Put").find((one) => one.text === "ecr:PutImage");
    expect(found).toEqual({ text: "ecr:PutImage", detail: "Write" });
    const names = { partition: "aws", region: "eu-west-1", account: "123456789012" };
    const offered = resources(tables, ["ecr:putimage"], ["arn:aws:ecr:eu-west-1:123456789012:repository/app"], names);
    expect(offered.map((one) => one.text)).toEqual([
      "arn:aws:ecr:eu-west-1:123456789012:repository/app",
      "arn:aws:ecr:eu-west-1:123456789012:repository/*",
    ]);
    const keys = conditionKeys(tables, ["ecr:PutImage"]).map((one) => one.text);
    expect(keys).toContain("aws:SourceIp");
    expect(keys).toContain("ecr:ResourceTag/");
  });
});
