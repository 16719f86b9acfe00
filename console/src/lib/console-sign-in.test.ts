import { expect, test } from "vitest";
import { awsCli } from "./commands/awsCli";
import { consoleSignInChange, shownChange } from "./console-sign-in";

const ARN = "arn:aws:iam::123456789012:oidc-provider/idp.example";
const stored = {
  providerArn: ARN,
  updatedAt: 1,
  hasBearerToken: true,
  keysHost: "10.0.0.1:6443",
  consoleCallbackUrl: "https://registry.example/console/federation/oidc/0",
  consoleSignIn: { displayName: "Old", clientId: "berth", hasClientSecret: true, scopes: ["email"] },
};
const form = { displayName: " Acme ", clientId: " berth ", clientSecret: "", scopes: "email  groups" };

test("other settings and their secrets stay", () => {
  expect(consoleSignInChange(stored, form).input).toEqual({
    providerArn: ARN,
    keysHost: "10.0.0.1:6443",
    keepSecrets: true,
    consoleSignIn: { displayName: "Acme", clientId: "berth", scopes: ["email", "groups"] },
  });
});

test("turning off leaves the sign-in out", () => {
  expect(consoleSignInChange(stored, undefined).input["consoleSignIn"]).toBeUndefined();
});

test("a SAML provider has a name alone", () => {
  const saml = { providerArn: "arn:aws:iam::123456789012:saml-provider/corp", singleUseAssertions: true };
  expect(consoleSignInChange(saml, form).input).toEqual({
    providerArn: saml.providerArn,
    singleUseAssertions: true,
    keepSecrets: true,
    consoleSignIn: { displayName: "Acme" },
  });
});

test("the secret is in no command", () => {
  const change = consoleSignInChange(stored, { ...form, clientSecret: "hunter2" });
  expect(JSON.stringify(change)).toContain("hunter2");
  expect(awsCli([shownChange(change)], "https://registry.example.com")).not.toContain("hunter2");
});
