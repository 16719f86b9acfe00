import { expect, test } from "vitest";
import { EMPTY_FORM, createInput, isExclusion, isRepositoryName, isValid, createChange } from "./repository-form";
import { resourcesOf } from "./commands/resources";

test("knows repository names", () => {
  for (const name of ["ab", "team/app", "a.b_c-d/e0"]) expect(isRepositoryName(name), name).toBe(true);
  for (const name of ["a", "App", "a//b", "/ab", "ab/", "a..b", "-ab", "<b>", "a".repeat(257)]) {
    expect(isRepositoryName(name), name).toBe(false);
  }
});

test("knows exclusions", () => {
  for (const text of ["latest", "dev-*", "*-rc*"]) expect(isExclusion(text), text).toBe(true);
  for (const text of ["", "a b", "***", "a/b"]) expect(isExclusion(text), text).toBe(false);
});

test("sends the key of a repository that is encrypted", () => {
  const form = { ...EMPTY_FORM, name: "app", encryption: "KMS" as const };
  expect(createInput(form).encryptionConfiguration).toEqual({ encryptionType: "KMS" });
  const withKey = { ...form, kmsKey: " alias/team " };
  expect(createInput(withKey).encryptionConfiguration).toEqual({ encryptionType: "KMS", kmsKey: "alias/team" });
  expect(createInput({ ...withKey, encryption: "AES256" }).encryptionConfiguration).toBeUndefined();
  expect(resourcesOf([createChange(withKey)])[0]?.blocks?.map((block) => block.head[0])).toEqual(["encryption_configuration"]);
});

test("sends what differs from the defaults", () => {
  expect(createInput({ ...EMPTY_FORM, name: "app" })).toEqual({ repositoryName: "app", imageTagMutability: "MUTABLE" });
  const form = {
    ...EMPTY_FORM,
    name: "app",
    mutability: "IMMUTABLE" as const,
    exclusions: ["latest"],
    scanOnPush: true,
    tags: [{ key: "owner", value: "" }],
  };
  expect(isValid(form)).toBe(true);
  expect(createInput(form)).toEqual({
    repositoryName: "app",
    imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
    imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "latest" }],
    imageScanningConfiguration: { scanOnPush: true },
    tags: [{ Key: "owner", Value: "" }],
  });
  expect(resourcesOf([createChange(form)])[0]?.blocks?.map((block) => block.head[0])).toEqual([
    "image_tag_mutability_exclusion_filter",
    "image_scanning_configuration",
  ]);
});
