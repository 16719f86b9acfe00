import { describe, expect, test } from "vitest";
import { awsCli } from "./commands/awsCli";
import { boto3 } from "./commands/boto3";
import { resourcesOf } from "./commands/resources";
import { terraform } from "./commands/terraform";
import { createAlias, createChanges, EMPTY_KEY, isAlias, isWithin, ROTATION_DAYS, setRotation, stateType, tagChanges, WINDOW_DAYS } from "./keys";

const ENDPOINT = "https://registry.example.com";
const FORM = { alias: "team", description: "images of the team", tags: [{ key: "team", value: "red" }] };

test("aliases are those of KMS, without AWS's own", () => {
  for (const name of ["team", "team/app_1-x"]) expect(isAlias(name)).toBe(true);
  for (const name of ["", "aws/ecr", "te am", "a".repeat(251)]) expect(isAlias(name)).toBe(false);
});

test("days are whole and within their bounds", () => {
  expect([90, 365, 2560].every((days) => isWithin(days, ROTATION_DAYS))).toBe(true);
  expect([89, 2561, 100.5, NaN].some((days) => isWithin(days, ROTATION_DAYS))).toBe(false);
  expect([6, 31].some((days) => isWithin(days, WINDOW_DAYS))).toBe(false);
});

describe("a new key", () => {
  test("is a key and its alias", () => {
    expect(createChanges(FORM).map(({ operation, input }) => [operation, input])).toEqual([
      ["CreateKey", { Description: "images of the team", Tags: [{ TagKey: "team", TagValue: "red" }] }],
      ["CreateAlias", { AliasName: "alias/team", TargetKeyId: "" }],
    ]);
    expect(createChanges(EMPTY_KEY)).toEqual([{ service: "kms", operation: "CreateKey", input: {} }]);
  });

  test("its commands take the id that the first one answers", () => {
    const changes = createChanges(FORM);
    expect(awsCli(changes, ENDPOINT)).toContain('--alias-name alias/team \\\n  --target-key-id "$TARGET_KEY_ID"');
    expect(boto3(changes, ENDPOINT)).toContain('os.environ["TARGET_KEY_ID"]');
    expect(terraform(resourcesOf(changes))).toContain("target_key_id = aws_kms_key.this.key_id");
    expect(awsCli([createAlias("team", "id-1")], ENDPOINT)).toContain("--target-key-id id-1");
  });
});

test("rotation is set with its days, or ended", () => {
  expect(setRotation("id-1", 180)).toMatchObject({ operation: "EnableKeyRotation", input: { KeyId: "id-1", RotationPeriodInDays: 180 } });
  expect(setRotation("id-1", undefined)).toMatchObject({ operation: "DisableKeyRotation", input: { KeyId: "id-1" } });
});

test("tags change by what differs", () => {
  const [a, b] = [{ key: "a", value: "1" }, { key: "b", value: "2" }];
  expect(tagChanges("id-1", [a], [a])).toEqual([]);
  expect(tagChanges("id-1", [a], [b]).map(({ operation, input }) => [operation, input])).toEqual([
    ["UntagResource", { KeyId: "id-1", TagKeys: ["a"] }],
    ["TagResource", { KeyId: "id-1", Tags: [{ TagKey: "b", TagValue: "2" }] }],
  ]);
});

test("a state has its indicator", () => {
  expect(["Enabled", "Disabled", "PendingDeletion"].map(stateType)).toEqual(["success", "stopped", "warning"]);
});
