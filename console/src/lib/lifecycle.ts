/** A lifecycle policy as rules of a form and as its text: one document. */

export const TAG_STATUSES = ["tagged", "untagged", "any"] as const;
export const COUNT_TYPES = [
  "imageCountMoreThan",
  "sinceImagePushed",
  "sinceImagePulled",
  "sinceImageTransitioned",
] as const;

export type TagStatus = (typeof TAG_STATUSES)[number];
export type CountType = (typeof COUNT_TYPES)[number];

export interface RuleForm {
  priority: number;
  description: string;
  tagStatus: TagStatus;
  /** Prefixes instead of patterns. */
  isPrefixes: boolean;
  /** Of a rule about tagged images. */
  entries: string[];
  countType: CountType;
  countNumber: number;
  archives: boolean;
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
const isOneOf = <T extends string>(all: readonly T[], value: unknown): value is T =>
  all.some((one) => one === value);
const hasOnly = (value: Json, names: string[]) => Object.keys(value).every((name) => names.includes(name));

/** The rule of a form; `undefined` for one that says more than the form can show. */
function readRule(value: unknown): RuleForm | undefined {
  if (!isObject(value) || !hasOnly(value, ["rulePriority", "description", "selection", "action"])) return undefined;
  const { rulePriority, description = "", selection, action } = value;
  if (typeof rulePriority !== "number" || typeof description !== "string") return undefined;
  if (!isObject(selection) || !isObject(action)) return undefined;
  const { tagStatus, tagPatternList, tagPrefixList, countType, countNumber } = selection;
  const entries = tagPrefixList ?? tagPatternList ?? [];
  if (!isOneOf(TAG_STATUSES, tagStatus) || !isOneOf(COUNT_TYPES, countType)) return undefined;
  if (typeof countNumber !== "number" || !isTexts(entries)) return undefined;
  const form: RuleForm = {
    priority: rulePriority,
    description,
    tagStatus,
    isPrefixes: tagPrefixList !== undefined,
    entries,
    countType,
    countNumber,
    archives: action.type === "transition",
  };
  // What the form would write must be what was read, apart from the order of members and a class that is the default.
  const same = (a: unknown, b: unknown) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
  const isStandard = countType !== "sinceImageTransitioned" && selection.storageClass === "standard";
  const known = isStandard ? { ...value, selection: { ...selection, storageClass: undefined } } : value;
  return same(writeRule(form), known) ? form : undefined;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]));
}

function writeRule(form: RuleForm): Json {
  const isTagged = form.tagStatus === "tagged";
  return {
    rulePriority: form.priority,
    ...(form.description === "" ? {} : { description: form.description }),
    selection: {
      tagStatus: form.tagStatus,
      ...(isTagged ? { [form.isPrefixes ? "tagPrefixList" : "tagPatternList"]: form.entries } : {}),
      ...(form.countType === "sinceImageTransitioned" ? { storageClass: "archive" } : {}),
      countType: form.countType,
      ...(form.countType === "imageCountMoreThan" ? {} : { countUnit: "days" }),
      countNumber: form.countNumber,
    },
    action: form.archives ? { type: "transition", targetStorageClass: "archive" } : { type: "expire" },
  };
}

/** The rules of a text; `undefined` where the form cannot show all that it says. */
export function readRules(text: string): RuleForm[] | undefined {
  if (text.trim() === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !hasOnly(value, ["rules"]) || !Array.isArray(value.rules)) return undefined;
  const rules = value.rules.map(readRule);
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}

/** The text of the rules; empty for none. */
export function writeRules(rules: RuleForm[]): string {
  return rules.length === 0 ? "" : JSON.stringify({ rules: rules.map(writeRule) }, undefined, 2);
}

/** A new rule, after all others. */
export function newRule(rules: RuleForm[]): RuleForm {
  return {
    priority: Math.max(0, ...rules.map(({ priority }) => priority)) + 1,
    description: "",
    tagStatus: "untagged",
    isPrefixes: false,
    entries: [],
    countType: "sinceImagePushed",
    countNumber: 14,
    archives: false,
  };
}

/** What a count type leaves to choose: the last pull only archives, time in the archive only expires, after 90 days. */
export function withCountType(rule: RuleForm, countType: CountType): RuleForm {
  const isTransitioned = countType === "sinceImageTransitioned";
  return {
    ...rule,
    countType,
    archives: countType === "sinceImagePulled" || (!isTransitioned && rule.archives),
    countNumber: isTransitioned ? Math.max(rule.countNumber, 90) : rule.countNumber,
  };
}
