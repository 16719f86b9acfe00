/** What may be written at a place of a policy document, from the tables of actions, resource types and keys. */

import { getLocation } from "jsonc-parser";

/** A service: access level and resource types by action, ARN forms by resource type, types by condition key. */
export interface ServiceTable {
  name: string;
  actions: Record<string, string[]>;
  resources: Record<string, string[]>;
  keys: Record<string, string>;
}

export type Tables = Record<string, ServiceTable>;

export type Place = "action" | "resource" | "conditionKey" | "operator" | "effect" | "principal" | "member";

export interface Suggestion {
  text: string;
  detail?: string;
}

const ACTIONS = new Set(["Action", "NotAction"]);
const RESOURCES = new Set(["Resource", "NotResource"]);

const OPERATORS = [
  "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike",
  "IpAddress", "NotIpAddress", "Bool", "Null", "NumericEquals", "NumericLessThan", "NumericGreaterThan", "DateLessThan",
  "DateGreaterThan", "ForAllValues:StringEquals", "ForAnyValue:StringEquals",
];

const MEMBERS = ["Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/** Keys that every service knows. */
const GLOBAL_KEYS: Record<string, string> = {
  "aws:CurrentTime": "Date",
  "aws:MultiFactorAuthAge": "Numeric",
  "aws:MultiFactorAuthPresent": "Bool",
  "aws:PrincipalAccount": "String",
  "aws:PrincipalArn": "ARN",
  "aws:PrincipalOrgID": "String",
  "aws:PrincipalTag/${TagKey}": "String",
  "aws:RequestTag/${TagKey}": "String",
  "aws:RequestedRegion": "String",
  "aws:ResourceAccount": "String",
  "aws:ResourceTag/${TagKey}": "String",
  "aws:SecureTransport": "Bool",
  "aws:SourceIp": "IPAddress",
  "aws:TagKeys": "ArrayOfString",
  "aws:UserAgent": "String",
  "aws:username": "String",
};

/** What stands at an offset of the text. */
export function placeAt(text: string, offset: number): Place | undefined {
  const { path, isAtPropertyKey } = getLocation(text, offset);
  const inStatement = path[0] === "Statement";
  if (!inStatement) return undefined;
  const inner = typeof path[1] === "number" ? path.slice(2) : path.slice(1);
  const [member, second] = inner;
  if (typeof member !== "string") return undefined;
  if (isAtPropertyKey) {
    if (member === "Condition" && inner.length === 2) return "operator";
    if (member === "Condition" && inner.length === 3) return "conditionKey";
    return inner.length === 1 ? "member" : undefined;
  }
  if (ACTIONS.has(member)) return "action";
  if (RESOURCES.has(member)) return "resource";
  if (member === "Effect") return "effect";
  if (member.endsWith("Principal") && second !== undefined) return "principal";
  return undefined;
}

const ordered = (entries: Suggestion[]): Suggestion[] => entries.sort((a, b) => a.text.localeCompare(b.text, "en"));

/** The actions of a service, or the services while no colon is written; wildcards of whole groups come first. */
export function actions(tables: Tables, written: string): Suggestion[] {
  const [prefix = "", rest] = written.split(":", 2);
  const table = tables[prefix.toLowerCase()];
  if (rest === undefined || table === undefined) {
    return ordered(Object.entries(tables).map(([name, { name: title }]) => ({ text: `${name}:`, detail: title })));
  }
  const all = Object.entries(table.actions).map(([name, [level = ""]]) => ({
    text: `${prefix.toLowerCase()}:${name}`,
    detail: LEVELS[level] ?? level,
  }));
  return ordered(all);
}

const LEVELS: Record<string, string> = {
  L: "List",
  R: "Read",
  W: "Write",
  T: "Tagging",
  P: "Permissions management",
};

export interface Names {
  partition: string;
  region: string;
  account: string;
}

/** ARNs that exist, then the forms of the resource types of the statement's actions. */
export function resources(tables: Tables, statementActions: readonly string[], existing: readonly string[], names: Names): Suggestion[] {
  const forms = statementActions.flatMap((action) => {
    const [prefix = "", name = ""] = action.split(":", 2);
    const table = tables[prefix.toLowerCase()];
    const found = Object.entries(table?.actions ?? {}).find(([known]) => known.toLowerCase() === name.toLowerCase());
    const types = found === undefined ? Object.keys(table?.resources ?? {}) : found[1].slice(1);
    return types.flatMap((type) => (table?.resources[type] ?? []).map((arn) => ({ text: filled(arn, names), detail: type })));
  });
  const unique = new Map([...existing.map((text): Suggestion => ({ text })), ...ordered(forms)].map((one) => [one.text, one]));
  return [...unique.values()];
}

/** The form of an ARN with what is known filled in, and a wildcard for each name. */
export function filled(arn: string, { partition, region, account }: Names): string {
  return arn
    .replace("${Partition}", partition)
    .replace("${Region}", region)
    .replace("${Account}", account)
    .replace(/\$\{[^}]*\}/g, "*");
}

/** Condition keys of the services of the statement's actions, and those of all services. */
export function conditionKeys(tables: Tables, statementActions: readonly string[]): Suggestion[] {
  const prefixes = new Set(statementActions.map((action) => action.split(":", 1)[0]?.toLowerCase() ?? ""));
  const own = [...prefixes].flatMap((prefix) => Object.entries(tables[prefix]?.keys ?? {}));
  const all = new Map([...Object.entries(GLOBAL_KEYS), ...own]);
  return ordered([...all].map(([text, detail]) => ({ text: text.replace(/\$\{[^}]*\}/, ""), detail })));
}

export const operators = (): Suggestion[] => OPERATORS.map((text) => ({ text }));
export const effects = (): Suggestion[] => [{ text: "Allow" }, { text: "Deny" }];
export const members = (): Suggestion[] => MEMBERS.map((text) => ({ text }));

let loading: Promise<Tables> | undefined;

/** The tables, which are a file of their own. */
export function loadTables(): Promise<Tables> {
  loading ??= import("./tables.json").then((module) => module.default as unknown as Tables);
  return loading;
}
