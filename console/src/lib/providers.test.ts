import { describe, expect, it } from "vitest";
import { areThumbprints, entries, isProviderUrl, providerName, thumbprints } from "./providers";

describe("identity providers", () => {
  it("takes https addresses without a query", () => {
    expect(isProviderUrl("https://token.actions.githubusercontent.com")).toBe(true);
    expect(isProviderUrl("https://k8s.example.com:6443/path/")).toBe(true);
    for (const url of ["http://a.example", "https://a.example?x=1", "https://u:p@a.example", "javascript:alert(1)", ""]) {
      expect(isProviderUrl(url)).toBe(false);
    }
  });

  it("reads thumbprints with and without colons", () => {
    const plain = "6938FD4D98BAB03FAADB97B34396831E3780AEA1";
    const colons = plain.replace(/(..)(?!$)/g, "$1:");
    expect(thumbprints(`${plain}, ${colons}`)).toEqual([plain, plain]);
    expect(areThumbprints([plain])).toBe(true);
    expect(areThumbprints(["xyz"])).toBe(false);
    expect(areThumbprints(Array.from({ length: 6 }, () => plain))).toBe(false);
  });

  it("reads lists and names", () => {
    expect(entries(" a, b\na ")).toEqual(["a", "b"]);
    expect(providerName("arn:aws:iam::123456789012:oidc-provider/gitlab.com/x")).toBe("gitlab.com/x");
    expect(providerName("arn:aws:iam::123456789012:saml-provider/corp")).toBe("corp");
  });
});
