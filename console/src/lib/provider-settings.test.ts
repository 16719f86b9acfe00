import { expect, test } from "vitest";
import { awsCli } from "./commands/awsCli";
import { removedSecrets, settingsChange, settingsForm, settingsProblems } from "./provider-settings";

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
  });
});

test("what is emptied is reset", () => {
  const form = { ...settingsForm(stored), claims: " " };
  const { input } = settingsChange(ARN, stored, form, "oidc");
  expect(input["conditionKeyClaims"]).toBeUndefined();
  expect(removedSecrets(stored, form)).toEqual(["bearerToken"]);
  expect(removedSecrets(stored, { ...form, bearerToken: "x" })).toEqual([]);
});

test("a SAML provider has its own setting alone", () => {
  const form = { ...settingsForm({ singleUseAssertions: true }), keysHost: "ignored" };
  expect(settingsChange(ARN, {}, form, "saml").input).toEqual({ providerArn: ARN, singleUseAssertions: true });
});

test("secrets are in no command", () => {
  const form = { ...settingsForm({}), bearerToken: "hunter2", certificate: "CERT", clientKey: "PRIVATE" };
  const text = awsCli([settingsChange(ARN, {}, form, "oidc")], "https://registry.example.com");
  expect(text).not.toMatch(/hunter2|PRIVATE/);
  expect(text).toContain('--bearer-token "$BEARER_TOKEN"');
});

test("says what is wrong", () => {
  const form = settingsForm({});
  expect(settingsProblems(form)).toEqual({});
  expect(settingsProblems({ ...form, keysHost: "https://x", bearerToken: "t" })).toEqual({ keysHost: true });
  expect(settingsProblems({ ...form, keysHost: "10.0.0.1:6443" })).toEqual({ bearerToken: "needed" });
  expect(settingsProblems({ ...form, bearerToken: "a b" })).toEqual({ bearerToken: "characters" });
  expect(settingsProblems({ ...form, claims: "ünï" })).toEqual({ claims: true });
  expect(settingsProblems({ ...form, certificate: "CERT" })).toEqual({ clientKey: true });
});
