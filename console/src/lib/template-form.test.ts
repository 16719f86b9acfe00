import { expect, test } from "vitest";
import {
  createTemplate,
  EMPTY_TEMPLATE,
  isPrefix,
  readTemplate,
  templateForm,
  templateProblems,
  templateText,
  updateTemplate,
} from "./template-form";

const FORM = { ...EMPTY_TEMPLATE, prefix: "team/a", description: "by a push" };

test("accepts the prefixes of repositories and ROOT", () => {
  for (const prefix of ["team", "team/", "team/a", "a.b-c_d/e", "ROOT"]) expect(isPrefix(prefix)).toBe(true);
  for (const prefix of ["", "/", "Team", "team//a", "root/ROOT", "a".repeat(257)]) expect(isPrefix(prefix)).toBe(false);
});

test("creates without what is empty", () => {
  expect(createTemplate(FORM).input).toEqual({
    prefix: "team/a",
    description: "by a push",
    appliedFor: ["CREATE_ON_PUSH"],
    imageTagMutability: "MUTABLE",
  });
});

test("updates with empty texts, which remove what was there", () => {
  expect(updateTemplate({ ...FORM, description: "" }).input).toMatchObject({
    description: "",
    customRoleArn: "",
    repositoryPolicy: "",
    lifecyclePolicy: "",
    resourceTags: [],
  });
});

test("shows a stored template as it was written", () => {
  const stored = {
    prefix: "team/a",
    description: "by a push",
    appliedFor: ["REPLICATION", "CREATE_ON_PUSH"],
    imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
    imageTagMutabilityExclusionFilters: [{ filter: "latest*" }],
    resourceTags: [{ Key: "team", Value: "a" }],
  };
  const form = templateForm(stored);
  expect(form).toMatchObject({
    appliedFor: ["CREATE_ON_PUSH", "REPLICATION"],
    mutability: "IMMUTABLE",
    exclusions: ["latest*"],
    tags: [{ key: "team", value: "a" }],
  });
  expect(createTemplate(form).input).toMatchObject({ imageTagMutability: "IMMUTABLE_WITH_EXCLUSION" });
});

test("names what is wrong: tags need a role, documents are JSON", () => {
  expect(templateProblems(FORM).size).toBe(0);
  expect([...templateProblems({ ...FORM, tags: [{ key: "team", value: "a" }] })]).toEqual(["customRoleArn"]);
  expect([...templateProblems({ ...FORM, appliedFor: [], lifecyclePolicy: "{" })]).toEqual(["appliedFor", "lifecyclePolicy"]);
});

test("a form is its text, and back", () => {
  expect(readTemplate(templateText(FORM))).toEqual(FORM);
  expect([readTemplate(""), readTemplate("{}")]).toEqual([undefined, undefined]);
});
