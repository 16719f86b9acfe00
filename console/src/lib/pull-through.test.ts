import { describe, expect, test } from "vitest";
import {
  createRule,
  createSecret,
  credentialOf,
  EMPTY_RULE,
  EMPTY_SECRET,
  imageNames,
  isRulePrefix,
  isWhole,
  pullCommand,
  ruleProblems,
  secretName,
  updateRule,
} from "./pull-through";
import { awsCli } from "./commands/awsCli";

const SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf";
const ROLE = "arn:aws:iam::123456789012:role/ecr-cache";
const FORM = { ...EMPTY_RULE, prefix: "hub", secret: SECRET };

test("prefixes are those of ECR", () => {
  for (const prefix of ["hub", "team/hub", "team/", "a.b-c__d", "ROOT"]) expect(isRulePrefix(prefix)).toBe(true);
  for (const prefix of ["", "h", "Hub", "/hub", "hub//x", "a".repeat(31)]) expect(isRulePrefix(prefix)).toBe(false);
});

test("the host says which credentials a registry takes", () => {
  expect(credentialOf("quay.io")).toBe("none");
  expect(credentialOf("ghcr.io")).toBe("secret");
  expect(credentialOf("team.azurecr.io")).toBe("secret");
  expect(credentialOf("123456789012.dkr.ecr.eu-west-1.amazonaws.com")).toBe("any");
  expect(credentialOf("registry.example.com:5000")).toBe("any");
});

describe("a rule", () => {
  test("needs the credentials that its upstream takes, and no others", () => {
    expect(ruleProblems(FORM).size).toBe(0);
    expect([...ruleProblems({ ...FORM, secret: "" })]).toEqual(["secret"]);
    expect(ruleProblems({ ...FORM, url: "registry.example.com", secret: "" }).size).toBe(0);
    const ecr = { ...FORM, url: "123456789012.dkr.ecr.eu-west-1.amazonaws.com", role: ROLE };
    expect([...ruleProblems(ecr)]).toEqual(["role"]);
    expect(ruleProblems({ ...ecr, secret: "" }).size).toBe(0);
    expect([...ruleProblems({ ...ecr, secret: "", role: "cache" })]).toEqual(["role"]);
    expect(createRule({ ...ecr, secret: "" }).input).toMatchObject({ customRoleArn: ROLE });
  });

  test("has a host as its upstream, and with ROOT all of it", () => {
    for (const url of ["https://quay.io", "quay.io/team", "Quay.io", ""]) {
      expect([...ruleProblems({ ...FORM, url })]).toContain("url");
    }
    for (const url of ["http://127.0.0.1:5000", "registry.example.com:5000", "localhost"]) {
      expect([...ruleProblems({ ...FORM, url })]).not.toContain("url");
    }
    expect([...ruleProblems({ ...FORM, prefix: "ROOT", upstreamPrefix: "team" })]).toEqual(["upstreamPrefix"]);
    expect(ruleProblems({ ...FORM, prefix: "ROOT", upstreamPrefix: "ROOT" }).size).toBe(0);
  });

  test("sends no secret that was chosen for another upstream", () => {
    expect(createRule({ ...FORM, url: "quay.io" }).input).toEqual({
      ecrRepositoryPrefix: "hub",
      upstreamRegistryUrl: "quay.io",
    });
    expect(createRule({ ...FORM, upstreamPrefix: "team" }).input).toEqual({
      ecrRepositoryPrefix: "hub",
      upstreamRegistryUrl: "registry-1.docker.io",
      upstreamRepositoryPrefix: "team",
      credentialArn: SECRET,
    });
    expect(updateRule("hub", FORM).input).toEqual({ ecrRepositoryPrefix: "hub", credentialArn: SECRET });
  });
});

test("a secret's value is in no command", () => {
  const change = createSecret({ ...EMPTY_SECRET, name: "docker-hub", userName: "me", accessToken: "dckr_pat_1" });
  expect(change.input["SecretString"]).toBe('{"username":"me","accessToken":"dckr_pat_1"}');
  const command = awsCli([change], "https://registry.example.com");
  expect(command).toContain('--secret-string "$SECRET_STRING"');
  expect(command).toContain("ecr-pullthroughcache/docker-hub");
  expect(command).not.toContain("dckr_pat_1");
  const key = { ...EMPTY_SECRET, name: "aws", kind: "key" as const, accessKeyId: "AKIA1", secretAccessKey: "s" };
  expect(createSecret(key).input["SecretString"]).toBe('{"accessKeyId":"AKIA1","secretAccessKey":"s"}');
  const inRole = createSecret({ ...key, roleArn: ROLE }).input["SecretString"];
  expect(inRole).toBe(`{"accessKeyId":"AKIA1","secretAccessKey":"s","roleArn":"${ROLE}"}`);
  expect([isWhole(key), isWhole({ ...key, kind: "user" })]).toEqual([true, false]);
});

test("a secret's name is its ARN's without what was added", () => {
  expect(secretName(SECRET)).toBe("ecr-pullthroughcache/docker-hub");
});

test("images are named by the prefixes", () => {
  const rule = { ecrRepositoryPrefix: "hub/", upstreamRegistryUrl: "http://10.0.0.1:5000", upstreamRepositoryPrefix: "team" };
  expect(imageNames(rule, "app:1", "registry.example.com")).toEqual({
    here: "registry.example.com/hub/app:1",
    upstream: "10.0.0.1:5000/team/app:1",
  });
  const all = { ecrRepositoryPrefix: "ROOT", upstreamRegistryUrl: "quay.io", upstreamRepositoryPrefix: "ROOT" };
  expect(imageNames(all, "app:1", "registry.example.com").here).toBe("registry.example.com/app:1");
  expect(pullCommand("registry.example.com/hub/a b")).toBe("docker pull 'registry.example.com/hub/a b'");
});
