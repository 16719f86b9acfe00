/** The form of a repository creation template, and the calls that it makes. */

import type { Change } from "./commands/change";
import { isRecord, parse } from "./trust/document";
import { isExclusion, mutabilityOf, type RepositoryForm } from "./repository-form";

/** What creates repositories by a template (ECR API Reference, RCTAppliedFor). */
export const SCENARIOS = ["CREATE_ON_PUSH", "PULL_THROUGH_CACHE", "REPLICATION"] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface TemplateForm extends Pick<RepositoryForm, "mutability" | "exclusions" | "tags"> {
  prefix: string;
  description: string;
  appliedFor: Scenario[];
  customRoleArn: string;
  repositoryPolicy: string;
  lifecyclePolicy: string;
}

export const EMPTY_TEMPLATE: TemplateForm = {
  prefix: "",
  description: "",
  appliedFor: ["CREATE_ON_PUSH"],
  mutability: "MUTABLE",
  exclusions: [],
  tags: [],
  customRoleArn: "",
  repositoryPolicy: "",
  lifecyclePolicy: "",
};

/** What the API answers, as far as the form shows it. */
export interface StoredTemplate {
  prefix?: string | undefined;
  description?: string | undefined;
  appliedFor?: string[] | undefined;
  imageTagMutability?: string | undefined;
  imageTagMutabilityExclusionFilters?: { filter: string | undefined }[] | undefined;
  resourceTags?: { Key?: string | undefined; Value?: string | undefined }[] | undefined;
  customRoleArn?: string | undefined;
  repositoryPolicy?: string | undefined;
  lifecyclePolicy?: string | undefined;
}

/** The template for all repositories that no other is for, and the form of other prefixes (ECR API Reference). */
const PREFIX = /^((?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*\/?|ROOT)$/;
const PREFIX_MAX = 256;

export const isPrefix = (text: string): boolean => text.length <= PREFIX_MAX && PREFIX.test(text);

const isDocument = (text: string): boolean => {
  if (text.trim() === "") return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
};

/** Members that are wrong. */
export function templateProblems(form: TemplateForm): ReadonlySet<keyof TemplateForm> {
  const wrong: [keyof TemplateForm, boolean][] = [
    ["prefix", !isPrefix(form.prefix)],
    ["appliedFor", form.appliedFor.length === 0],
    ["exclusions", !form.exclusions.every(isExclusion)],
    ["tags", form.tags.some(({ key }) => key === "")],
    // Only with a role can the tags be set (ECR user guide, "Creating a repository creation template").
    ["customRoleArn", form.tags.length > 0 && form.customRoleArn.trim() === ""],
    ["repositoryPolicy", !isDocument(form.repositoryPolicy)],
    ["lifecyclePolicy", !isDocument(form.lifecyclePolicy)],
  ];
  return new Set(wrong.flatMap(([member, isWrong]) => (isWrong ? [member] : [])));
}

export function templateForm(stored: StoredTemplate): TemplateForm {
  const known: readonly string[] = stored.appliedFor ?? [];
  return {
    prefix: stored.prefix ?? "",
    description: stored.description ?? "",
    appliedFor: SCENARIOS.filter((scenario) => known.includes(scenario)),
    mutability: stored.imageTagMutability?.startsWith("IMMUTABLE") === true ? "IMMUTABLE" : "MUTABLE",
    exclusions: (stored.imageTagMutabilityExclusionFilters ?? []).flatMap(({ filter }) => filter ?? []),
    tags: (stored.resourceTags ?? []).map(({ Key = "", Value = "" }) => ({ key: Key, value: Value })),
    customRoleArn: stored.customRoleArn ?? "",
    repositoryPolicy: stored.repositoryPolicy ?? "",
    lifecyclePolicy: stored.lifecyclePolicy ?? "",
  };
}

/** A form as text, in which two edits are compared. */
export const templateText = (form: TemplateForm): string => JSON.stringify(form, undefined, 2);

/** The form of such a text. */
export function readTemplate(text: string): TemplateForm | undefined {
  const value: unknown = parse(text);
  return isRecord(value) && typeof value["prefix"] === "string" ? { ...EMPTY_TEMPLATE, ...value } : undefined;
}

const tagList = (form: TemplateForm) => form.tags.map(({ key, value }) => ({ Key: key, Value: value }));

/** The call that creates the template: what is empty is left out. */
export function createTemplate(form: TemplateForm): Change {
  const filled = (name: "description" | "customRoleArn" | "repositoryPolicy" | "lifecyclePolicy") =>
    form[name].trim() === "" ? {} : { [name]: form[name].trim() };
  return {
    service: "ecr",
    operation: "CreateRepositoryCreationTemplate",
    input: {
      prefix: form.prefix,
      appliedFor: form.appliedFor,
      ...mutabilityOf(form),
      ...filled("description"),
      ...filled("customRoleArn"),
      ...filled("repositoryPolicy"),
      ...filled("lifecyclePolicy"),
      ...(form.tags.length === 0 ? {} : { resourceTags: tagList(form) }),
    },
  };
}

/** The call that makes the template what the form says. What a call leaves out stays, so that empty texts are sent. */
export function updateTemplate(form: TemplateForm): Change {
  return {
    service: "ecr",
    operation: "UpdateRepositoryCreationTemplate",
    input: {
      prefix: form.prefix,
      appliedFor: form.appliedFor,
      ...mutabilityOf(form),
      description: form.description.trim(),
      customRoleArn: form.customRoleArn.trim(),
      repositoryPolicy: form.repositoryPolicy.trim(),
      lifecyclePolicy: form.lifecyclePolicy.trim(),
      resourceTags: tagList(form),
    },
  };
}

export const deleteTemplate = (prefix: string): Change => ({
  service: "ecr",
  operation: "DeleteRepositoryCreationTemplate",
  input: { prefix },
});
