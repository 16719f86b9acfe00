import { expect, test } from "vitest";
import { isProviderUrl, wantedAddress } from "./provider-url";

test.each([
  ["https://idp.example/authorize?x=1", true],
  ["http://idp.example/authorize", false],
  ["javascript:alert(1)", false],
  ["data:text/html,x", false],
  ["//idp.example/", false],
  ["/console/", false],
  ["", false],
])("%s may be gone to: %s", (url, expected) => {
  expect(isProviderUrl(url)).toBe(expected);
});

test.each([
  ["/console/roles", "?x=1", "#y", "/console/roles?x=1#y"],
  ["/console/", "", "", "/console/"],
  ["/console/federation/roles", "", "", "/console/"],
  ["/console/x", `?${"a".repeat(1100)}`, "", "/console/"],
])("a sign-in at %s%s%s leads to %s", (pathname, search, hash, expected) => {
  expect(wantedAddress({ pathname, search, hash })).toBe(expected);
});
