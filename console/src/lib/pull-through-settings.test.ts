import { describe, expect, test } from "vitest";
import { awsCli } from "./commands/awsCli";
import { EMPTY_UPSTREAM, formOf, putSettings, resetSettings, settingsProblems, type Settings } from "./pull-through-settings";

const DEFAULTS: Settings = {
  ecrRepositoryPrefix: "hub",
  tagFreshnessSeconds: 86_400,
  platforms: [],
  referrers: "ENABLED",
  hasClientKey: false,
  upstreams: [],
};
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
const ROLE = "arn:aws:iam::123456789012:role/ecr-cache";
const SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/docker-hub-AbCdEf";
const WHOLE: Settings = {
  ...DEFAULTS,
  tagFreshnessSeconds: 0,
  platforms: ["linux/amd64"],
  referrers: "DISABLED",
  certificateAuthority: "authority",
  clientCertificate: CERTIFICATE,
  hasClientKey: true,
  upstreams: [
    {
      upstreamRegistryUrl: "mirror.example.com:5000",
      upstreamRepositoryPrefix: "docker-hub",
      credentialArn: SECRET,
      certificateAuthority: "another",
      clientCertificate: CERTIFICATE,
      hasClientKey: true,
    },
  ],
};

test("settings that nobody changes are sent as they are", () => {
  const form = formOf(WHOLE);
  expect(settingsProblems(form, WHOLE).size).toBe(0);
  expect(putSettings(form, WHOLE).input).toEqual({
    ecrRepositoryPrefix: "hub",
    tagFreshnessSeconds: 0,
    platforms: ["linux/amd64"],
    referrers: "DISABLED",
    certificateAuthority: "authority",
    // To the byte: the server keeps the key of the same certificate.
    clientCertificate: CERTIFICATE,
    upstreams: [
      {
        upstreamRegistryUrl: "mirror.example.com:5000",
        upstreamRepositoryPrefix: "docker-hub",
        credentialArn: SECRET,
        certificateAuthority: "another",
        clientCertificate: CERTIFICATE,
      },
    ],
  });
});

test("a certificate of an upstream is not sent to another address", () => {
  const [upstream = EMPTY_UPSTREAM] = formOf(WHOLE).upstreams;
  const form = { ...formOf(WHOLE), upstreams: [{ ...upstream, url: "other.example.com" }] };
  expect(putSettings(form, WHOLE).input["upstreams"]).toEqual([
    {
      upstreamRegistryUrl: "other.example.com",
      upstreamRepositoryPrefix: "docker-hub",
      credentialArn: SECRET,
      certificateAuthority: "another",
    },
  ]);
});

describe("what is wrong", () => {
  const form = formOf(DEFAULTS);
  test.each([
    ["freshness", { freshness: "" }],
    ["freshness", { freshness: "1.5" }],
    ["freshness", { freshness: "2592001" }],
    ["platforms", { platforms: ["linux"] }],
    ["platforms", { platforms: Array.from({ length: 17 }, () => "linux/amd64") }],
    ["key", { key: "key" }],
    ["key", { certificate: CERTIFICATE }],
    ["upstreams", { upstreams: [EMPTY_UPSTREAM] }],
    ["upstreams", { upstreams: [{ ...EMPTY_UPSTREAM, url: "https://mirror.example.com" }] }],
    ["upstreams", { upstreams: [{ ...EMPTY_UPSTREAM, url: "mirror.example.com", role: "cache" }] }],
    ["upstreams", { upstreams: [{ ...EMPTY_UPSTREAM, url: "mirror.example.com", role: ROLE, secret: SECRET }] }],
    ["upstreams", { upstreams: [{ ...EMPTY_UPSTREAM, url: "mirror.example.com", prefix: "/team" }] }],
  ])("%s: %j", (member, change) => {
    expect([...settingsProblems({ ...form, ...change }, DEFAULTS)]).toEqual([member]);
  });

  test("nothing, where a key comes with its certificate", () => {
    expect(settingsProblems({ ...form, certificate: CERTIFICATE, key: "key" }, DEFAULTS).size).toBe(0);
    // Another certificate has another key.
    expect([...settingsProblems({ ...formOf(WHOLE), certificate: "another" }, WHOLE)]).toEqual(["key"]);
  });
});

test("commands read the key from an environment variable", () => {
  const form = { ...formOf(DEFAULTS), certificate: CERTIFICATE, key: "PRIVATE" };
  const shown = awsCli([putSettings(form, DEFAULTS), resetSettings("hub")], "https://berth.example.com");
  expect(shown).not.toContain("PRIVATE");
  expect(shown).toContain('--client-key "$CLIENT_KEY"');
  expect(shown).toContain("aws berth delete-pull-through-cache-settings \\\n  --ecr-repository-prefix hub");
});
