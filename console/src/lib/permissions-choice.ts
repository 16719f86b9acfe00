// The permissions that a form gives to a new user, group or role.

import { nameProblem, type NameProblem } from "./names";
import { isRepositoryPattern, repositoryNames, templateText, type Registry, type TemplateKind } from "./policy/templates";

export interface PermissionsChoice {
  readonly kind: "none" | "template" | "managed" | "json";
  readonly template: TemplateKind;
  /** As typed. */
  readonly repositories: string;
  readonly arns: readonly string[];
  readonly policyName: string;
  readonly document: string;
}

export const noPermissions: PermissionsChoice = {
  kind: "none",
  template: "pushAndPull",
  repositories: "",
  arns: [],
  policyName: "registry",
  document: "",
};

export interface ChoiceProblems {
  readonly repositories?: "missing" | "characters";
  readonly policyName?: NameProblem;
  readonly arns?: NameProblem;
  readonly document?: "notJson";
}

export function choiceProblems(choice: PermissionsChoice): ChoiceProblems {
  const policyName = nameProblem("inlinePolicy", choice.policyName);
  const named = policyName === undefined ? {} : { policyName };
  switch (choice.kind) {
    case "none":
      return {};
    case "managed":
      return choice.arns.length === 0 ? { arns: { kind: "missing" } } : {};
    case "json":
      return isJsonObject(choice.document) ? named : { ...named, document: "notJson" };
    case "template": {
      const names = repositoryNames(choice.repositories);
      if (names.length === 0) return { ...named, repositories: "missing" };
      return names.every(isRepositoryPattern) ? named : { ...named, repositories: "characters" };
    }
  }
}

export const hasProblems = (problems: object): boolean => Object.keys(problems).length > 0;

export function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The inline policy of the choice, where it has one. */
export function inlinePolicyOf(choice: PermissionsChoice, registry: Registry): string | undefined {
  if (choice.kind === "json") return choice.document;
  if (choice.kind !== "template") return undefined;
  return templateText(choice.template, repositoryNames(choice.repositories), registry);
}
