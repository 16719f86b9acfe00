import { expect, test } from "vitest";
import { awsCli } from "./commands/awsCli";
import { lostSecrets, settingsChange, settingsForm, settingsProblems, storedSecrets } from "./provider-settings";

const ARN = "arn:aws:iam::123456789012:oidc-provider/issuer.example.com";
const stored = {
  providerArn: ARN,
  updatedAt: 1,
  hasBearerToken: true,
  hasClientKey: false,
  conditionKeyClaims: ["repository"],
  somethingNew: { role: "kept" },
};

test("settings that the form does not show are sent as they were read", () => {
  const form = { ...settingsForm(stored), keysHost: "10.0.0.1:6443", bearerToken: "token" };
  expect(settingsChange(ARN, stored, form, "oidc").input).toEqual({
    providerArn: ARN,
    somethingNew: { role: "kept" },
    conditionKeyClaims: ["repository"],
    keysHost: "10.0.0.1:6443",
    bearerToken: "token",
    keepSecrets: true,
  });
});

test("what is emptied is reset", () => {
  const form = { ...settingsForm(stored), claims: " " };
  expect(settingsChange(ARN, stored, form, "oidc").input["conditionKeyClaims"]).toBeUndefined();
});

test("a secret that is left out is kept, unless it is to be removed or belongs to something else now", () => {
  const form = settingsForm(stored);
  expect(settingsChange(ARN, stored, form, "oidc").input["keepSecrets"]).toBe(true);
  expect(settingsChange(ARN, stored, form, "oidc", true).input["keepSecrets"]).toBeUndefined();
  expect(storedSecrets(stored, form)).toEqual(["bearerToken"]);
  expect(lostSecrets(stored, form)).toEqual([]);
  expect(lostSecrets(stored, { ...form, keysHost: "other" })).toEqual(["bearerToken"]);
  expect(lostSecrets(stored, { ...form, keysHost: "other", bearerToken: "new" })).toEqual([]);
  const withKey = { hasClientKey: true, clientCertificate: "CERT", consoleSignIn: { hasClientSecret: true } };
  expect(storedSecrets(withKey, settingsForm(withKey))).toEqual(["clientKey", "clientSecret"]);
  expect(lostSecrets(withKey, { ...settingsForm(withKey), certificate: "" })).toEqual(["clientKey"]);
});

test("a SAML provider has its own setting alone", () => {
  const form = { ...settingsForm({ singleUseAssertions: true }), keysHost: "ignored" };
  expect(settingsChange(ARN, {}, form, "saml").input).toEqual({
    providerArn: ARN,
    singleUseAssertions: true,
    keepSecrets: true,
  });
});

test("secrets are in no command", () => {
  const form = { ...settingsForm({}), bearerToken: "hunter2", certificate: "CERT", clientKey: "PRIVATE" };
  const text = awsCli([settingsChange(ARN, {}, form, "oidc")], "https://registry.example.com");
  expect(text).not.toMatch(/hunter2|PRIVATE/);
  expect(text).toContain('--bearer-token "$BEARER_TOKEN"');
});

test("says what is wrong", () => {
  const form = settingsForm({});
  const problems = (part: Partial<typeof form>, has: object = {}, removes = false) =>
    settingsProblems(has, { ...form, ...part }, removes);
  expect(problems({})).toEqual({});
  expect(problems({ keysHost: "https://x", bearerToken: "t" })).toEqual({ keysHost: true });
  expect(problems({ keysHost: "10.0.0.1:6443" })).toEqual({ bearerToken: "needed" });
  const kept = { hasBearerToken: true, keysHost: "10.0.0.1:6443" };
  expect(problems({ keysHost: "10.0.0.1:6443" }, kept)).toEqual({});
  expect(problems({ keysHost: "10.0.0.1:6443" }, kept, true)).toEqual({ bearerToken: "needed" });
  expect(problems({ bearerToken: "a b" })).toEqual({ bearerToken: "characters" });
  expect(problems({ claims: "ünï" })).toEqual({ claims: true });
  expect(problems({ certificate: "CERT" })).toEqual({ clientKey: true });
  expect(problems({ certificate: "CERT" }, { hasClientKey: true, clientCertificate: "CERT" })).toEqual({});
});
