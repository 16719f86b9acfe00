/** The form of a new repository: its rules, and the calls and resources that it makes. */

import type { Change } from "./commands/change";

export interface RepositoryForm {
  name: string;
  mutability: "MUTABLE" | "IMMUTABLE";
  exclusions: string[];
  scanOnPush: boolean;
  encryption: "AES256" | "KMS";
  /** Id, ARN or alias of a key. Empty: the key that the registry makes for such repositories. */
  kmsKey: string;
  tags: { key: string; value: string }[];
}

export const EMPTY_FORM: RepositoryForm = {
  name: "",
  mutability: "MUTABLE",
  exclusions: [],
  scanOnPush: false,
  encryption: "AES256",
  kmsKey: "",
  tags: [],
};

/** ECR API Reference, CreateRepository and ImageTagMutabilityExclusionFilter. */
const NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const EXCLUSION = /^[0-9a-zA-Z._*-]{1,128}$/;
const WILDCARDS_MAX = 2;
export const EXCLUSIONS_MAX = 5;

export const isRepositoryName = (name: string): boolean => name.length >= 2 && name.length <= 256 && NAME.test(name);

export const isExclusion = (text: string): boolean =>
  EXCLUSION.test(text) && text.split("*").length - 1 <= WILDCARDS_MAX;

export const isValid = (form: RepositoryForm): boolean =>
  isRepositoryName(form.name) && form.exclusions.every(isExclusion) && form.tags.every((tag) => tag.key !== "");

/** The API's name of the mutability: exclusions have one of their own. */
export function mutabilityOf(form: Pick<RepositoryForm, "mutability" | "exclusions">): {
  imageTagMutability: "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION";
  imageTagMutabilityExclusionFilters?: { filterType: "WILDCARD"; filter: string }[];
} {
  if (form.exclusions.length === 0) return { imageTagMutability: form.mutability };
  return {
    imageTagMutability: `${form.mutability}_WITH_EXCLUSION`,
    imageTagMutabilityExclusionFilters: form.exclusions.map((filter) => ({ filterType: "WILDCARD", filter })),
  };
}

/** What is left out where it is the default. */
function encryptionOf({ encryption, kmsKey }: Pick<RepositoryForm, "encryption" | "kmsKey">) {
  if (encryption === "AES256") return {};
  const key = kmsKey.trim();
  return { encryptionConfiguration: { encryptionType: encryption, ...(key === "" ? {} : { kmsKey: key }) } };
}

/** The input of CreateRepository. */
export function createInput(form: RepositoryForm) {
  return {
    repositoryName: form.name,
    ...mutabilityOf(form),
    ...(form.scanOnPush ? { imageScanningConfiguration: { scanOnPush: true } } : {}),
    ...encryptionOf(form),
    ...(form.tags.length > 0 ? { tags: form.tags.map(({ key, value }) => ({ Key: key, Value: value })) } : {}),
  };
}

export const createChange = (form: RepositoryForm): Change => ({
  service: "ecr",
  operation: "CreateRepository",
  input: createInput(form),
});
