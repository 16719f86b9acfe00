import { expect, test } from "vitest";
import { credentialReport } from "./credential-report";
import { lastTimes } from "./repository-use";

const HEAD =
  "user,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date";

test("finds active keys without a use", () => {
  const csv = [
    HEAD,
    "alice,true,2026-01-02T03:04:05+00:00,N/A,false,N/A,N/A",
    "bob,true,2026-01-02T03:04:05+00:00,2026-02-01T00:00:00+00:00,true,2026-01-02T03:04:05+00:00,no_information",
    '"a,b",false,N/A,N/A,false,N/A,N/A',
  ].join("\n");
  expect(credentialReport(csv)).toEqual([
    { user: "alice", number: 1, since: new Date("2026-01-02T03:04:05Z") },
    { user: "bob", number: 2, since: new Date("2026-01-02T03:04:05Z") },
  ]);
});

test("reads an empty report", () => {
  expect(credentialReport("")).toEqual([]);
  expect(credentialReport(HEAD)).toEqual([]);
});

test("takes the latest push and pull", () => {
  const [early, late] = [new Date(1), new Date(2)];
  const use = lastTimes("app", [{ imagePushedAt: late }, { imagePushedAt: early, lastRecordedPullTime: early }], true);
  expect(use).toEqual({ name: "app", lastPush: late, lastPull: early, hasImages: true, isPartial: true });
  expect(lastTimes("app", [], false)).toMatchObject({ lastPush: undefined, lastPull: undefined, hasImages: false });
});
