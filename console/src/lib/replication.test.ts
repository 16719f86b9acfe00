import { describe, expect, test } from "vitest";
import { awsCli } from "./commands/awsCli";
import { resourcesOf } from "./commands/resources";
import { terraform } from "./commands/terraform";
import {
  backfillType,
  destinationsOf,
  EMPTY_PEER,
  isConfiguration,
  isRunning,
  mayStop,
  newRule,
  peerProblems,
  putPeer,
  readRules,
  putTagFilter,
  replicationChange,
  ruleProblem,
  rulesProblem,
  statusType,
  writeRules,
  type RuleForm,
} from "./replication";

const THERE = { region: "eu-west-1", registryId: "123456789012" };
const RULE: RuleForm = { destinations: [THERE], filters: ["prod"], deletes: true };

describe("the text and the form", () => {
  test("are one document", () => {
    const text = writeRules([RULE, { destinations: [THERE], filters: [], deletes: false }]);
    expect(JSON.parse(text)).toEqual({
      rules: [
        {
          destinations: [THERE],
          repositoryFilters: [{ filter: "prod", filterType: "PREFIX_MATCH" }],
          deleteReplication: { enabled: true },
        },
        { destinations: [THERE] },
      ],
    });
    expect(readRules(text)).toEqual([RULE, { destinations: [THERE], filters: [], deletes: false }]);
    expect([writeRules([]), readRules("")]).toEqual(["", []]);
  });

  test("a text that says more than the form is left to JSON", () => {
    for (const text of [
      "{",
      "[]",
      '{"rules": [], "more": 1}',
      '{"rules": [{"destinations": [{"region": "eu-west-1", "registryId": "1", "more": 1}]}]}',
      '{"rules": [{"destinations": [], "repositoryFilters": [{"filter": "a", "filterType": "OTHER"}]}]}',
      '{"rules": [{"destinations": [], "tagFilters": []}]}',
    ]) {
      expect(readRules(text)).toBeUndefined();
    }
  });

  test("only JSON with rules is sent", () => {
    expect(isConfiguration("")).toBe(true);
    expect(isConfiguration('{"rules": []}')).toBe(true);
    for (const text of ["{", "[]", "{}", '{"rules": 1}']) expect(isConfiguration(text)).toBe(false);
  });
});

describe("problems", () => {
  test("of a rule", () => {
    const problem = (change: Partial<RuleForm>) => ruleProblem({ ...RULE, ...change });
    expect(problem({})).toBeUndefined();
    expect(problem({ destinations: [] })).toBe("noDestination");
    expect(ruleProblem(newRule("123456789012"))).toBe("region");
    expect(problem({ destinations: [{ ...THERE, registryId: "12" }] })).toBe("account");
    expect(problem({ filters: ["prod", "Prod"] })).toBe("filter");
    expect(problem({ filters: ["p"] })).toBe("filter");
    expect(problem({ filters: Array.from({ length: 101 }, (_, at) => `p${at}`) })).toBe("tooManyFilters");
  });

  test("of all rules together: a destination counts once", () => {
    const to = (count: number): RuleForm => ({
      ...RULE,
      destinations: Array.from({ length: count }, (_, at) => ({ region: "eu-west-1", registryId: String(100000000000 + at) })),
    });
    expect(rulesProblem([to(25), to(25)])).toBeUndefined();
    expect(rulesProblem([to(26)])).toBe("tooManyDestinations");
    expect(rulesProblem(Array.from({ length: 11 }, () => RULE))).toBe("tooManyRules");
  });
});

describe("the command", () => {
  test("sends the whole configuration, and none to end replication", () => {
    expect(replicationChange("").input).toEqual({ replicationConfiguration: { rules: [] } });
    const command = awsCli([replicationChange(writeRules([RULE]))], "https://registry.example.com");
    expect(command).toContain("aws ecr put-replication-configuration");
    expect(command).toContain('"deleteReplication":{"enabled":true}');
  });

  test("has Terraform's blocks, and none where Terraform would lose a part", () => {
    const plain = replicationChange(writeRules([{ ...RULE, deletes: false }]));
    const code = terraform(resourcesOf([plain]));
    for (const part of ['resource "aws_ecr_replication_configuration" "this"', "replication_configuration {", "rule {", "destination {", 'region      = "eu-west-1"', 'filter      = "prod"']) {
      expect(code).toContain(part);
    }
    expect(resourcesOf([replicationChange(writeRules([RULE]))])).toEqual([]);
  });
});

test("a status has its indicator", () => {
  expect(["COMPLETE", "FAILED", "IN_PROGRESS", undefined].map(statusType)).toEqual(["success", "error", "in-progress", "in-progress"]);
});

test("destinations of all rules are listed once, also of a text that the form cannot show", () => {
  const text = JSON.stringify({ rules: [{ destinations: [THERE], more: 1 }, { destinations: [THERE, { ...THERE, region: "ap-south-1" }] }] });
  expect(destinationsOf(text).map(({ region }) => region)).toEqual(["eu-west-1", "ap-south-1"]);
  expect(destinationsOf("")).toEqual([]);
});

test("a backfill that is stopping is not stopped again", () => {
  const statuses = ["PREPARING", "IN_PROGRESS", "STOPPING", "STOPPED", "COMPLETE", "FAILED"];
  expect(statuses.filter(isRunning)).toEqual(["PREPARING", "IN_PROGRESS", "STOPPING"]);
  expect(statuses.filter(mayStop)).toEqual(["PREPARING", "IN_PROGRESS"]);
  expect(statuses.map(backfillType)).toEqual(["in-progress", "in-progress", "in-progress", "stopped", "success", "error"]);
});

describe("a peer", () => {
  const PEER = {
    ...EMPTY_PEER,
    ...THERE,
    endpoint: "https://berth.example.org",
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "secret-1",
  };

  test("needs a secret, unless one is stored for its key and URL", () => {
    expect(peerProblems(PEER, undefined).size).toBe(0);
    const without = { ...PEER, secretAccessKey: "" };
    expect([...peerProblems(without, undefined)]).toEqual(["secretAccessKey"]);
    expect(peerProblems(without, PEER).size).toBe(0);
    expect([...peerProblems(without, { ...PEER, endpoint: "https://other.example.org" })]).toEqual(["secretAccessKey"]);
    expect([...peerProblems({ ...PEER, endpoint: "ftp://x", registryId: "1" }, undefined)]).toEqual(["registryId", "endpoint"]);
  });

  test("has its secret in no command", () => {
    const command = awsCli([putPeer(PEER)], "https://registry.example.com");
    expect(command).toContain('--secret-access-key "$SECRET_ACCESS_KEY"');
    expect(command).not.toContain("secret-1");
    expect(putPeer({ ...PEER, secretAccessKey: "" }).input).not.toHaveProperty("secretAccessKey");
  });
});

test("a filter without patterns lets all tags through", () => {
  expect(putTagFilter(THERE, []).input).toEqual({ ...THERE, tagPatternList: [] });
});
