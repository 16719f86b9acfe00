import { expect, test } from "vitest";
import { readOnlyChange } from "./read-only";

test("the mode begins with its reason, of the server or of one repository", () => {
  expect(readOnlyChange(true, " release 1.0 ", undefined).input).toEqual({ enabled: true, reason: "release 1.0" });
  expect(readOnlyChange(true, "", "team/app").input).toEqual({ enabled: true, repositoryName: "team/app" });
});

test("it ends without a reason", () => {
  expect(readOnlyChange(false, "release 1.0", "team/app").input).toEqual({ enabled: false, repositoryName: "team/app" });
});
