/**
 * A policy document as text and as statements: one document, so an edit on either side keeps what the other wrote.
 * Edits change the text where they must and leave its formatting as it is.
 */

import {
  applyEdits,
  findNodeAtLocation,
  modify,
  parse,
  parseTree,
  type JSONPath,
  type Node,
  type ParseError,
} from "jsonc-parser";
import { isRecord, strings as texts } from "../trust/document";

/** A statement, read without trusting its form. Members that are not there are absent. */
export interface Statement {
  sid?: string;
  effect: "Allow" | "Deny" | undefined;
  actions: string[];
  notAction: boolean;
  resources: string[] | undefined;
  notResource: boolean;
  /** By type: `AWS`, `Service`, `Federated`; `*` stands under `AWS`. */
  principals: Record<string, string[]> | undefined;
  notPrincipal: boolean;
  conditions: Condition[];
}

export interface Condition {
  operator: string;
  key: string;
  values: string[];
}

export type PolicyDocument = { statements: Statement[]; problem?: undefined } | { problem: Problem; statements?: undefined };

export interface Problem {
  kind: "syntax" | "form";
  /** Characters from the start of the text. */
  offset: number;
}

const OPTIONS = { allowTrailingComma: false, disallowComments: true };

/** Reads a text. What it holds beside a policy's members is kept in the text and not shown. */
export function readPolicy(text: string): PolicyDocument {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, OPTIONS);
  const [first] = errors;
  if (first !== undefined) return { problem: { kind: "syntax", offset: first.offset } };
  if (!isRecord(value)) return { problem: { kind: "form", offset: 0 } };
  const found = value["Statement"] ?? [];
  const list: readonly unknown[] = Array.isArray(found) ? found : [found];
  if (!list.every(isRecord)) return { problem: { kind: "form", offset: 0 } };
  return { statements: list.map(readStatement) };
}

function readStatement(value: Readonly<Record<string, unknown>>): Statement {
  const effect = value["Effect"];
  const sid = value["Sid"];
  return {
    ...(typeof sid === "string" ? { sid } : {}),
    effect: effect === "Allow" || effect === "Deny" ? effect : undefined,
    actions: texts(value["Action"] ?? value["NotAction"]) ?? [],
    notAction: value["NotAction"] !== undefined,
    resources: texts(value["Resource"] ?? value["NotResource"]),
    notResource: value["NotResource"] !== undefined,
    principals: readPrincipals(value["Principal"] ?? value["NotPrincipal"]),
    notPrincipal: value["NotPrincipal"] !== undefined,
    conditions: readConditions(value["Condition"]),
  };
}

function readPrincipals(value: unknown): Record<string, string[]> | undefined {
  if (value === "*") return { AWS: ["*"] };
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([type, named]) => [type, texts(named) ?? []]));
}

function readConditions(value: unknown): Condition[] {
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([operator, keys]) =>
    isRecord(keys) ? Object.entries(keys).map(([key, values]) => ({ operator, key, values: conditionTexts(values) })) : [],
  );
}

function conditionTexts(values: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(values) ? values : [values];
  return list.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
}

/** A unit of the text's indentation, so that what is added looks like the rest. */
const unitOf = (text: string): string => /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";

/** A value as it is written behind an indentation: in lines, or in one where the text around is in one. */
function written(text: string, value: unknown, indent: string | undefined): string {
  if (indent === undefined) return JSON.stringify(value);
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  return JSON.stringify(value, null, unitOf(text)).replaceAll("\n", `${eol}${indent}`);
}

/** The indentation of the line that holds an offset, where the text is in lines. */
function indentAt(text: string, offset: number): string | undefined {
  if (!text.includes("\n")) return undefined;
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

const splice = (text: string, from: number, to: number, by: string): string => text.slice(0, from) + by + text.slice(to);

/** Adds an entry at the end of a list or an object, separated as the entries before it are. */
function append(text: string, parent: Node, entry: (indent: string | undefined) => string): string {
  const [first] = parent.children ?? [];
  const last = parent.children?.at(-1);
  if (first === undefined || last === undefined) {
    return splice(text, parent.offset + 1, parent.offset + parent.length - 1, entry(undefined));
  }
  const space = text.slice(parent.offset + 1, first.offset);
  const line = space.lastIndexOf("\n");
  const end = last.offset + last.length;
  return splice(text, end, end, `,${space}${entry(line < 0 ? undefined : space.slice(line + 1))}`);
}

/** Sets a value, and makes the objects that lead to it; `undefined` removes it. Everything else stays as it is. */
function change(text: string, path: JSONPath, value: unknown): string {
  const root = parseTree(text, [], OPTIONS);
  if (root === undefined) return text;
  if (value === undefined) return applyEdits(text, modify(text, path, undefined, {}));
  const node = findNodeAtLocation(root, path);
  if (node !== undefined) {
    return splice(text, node.offset, node.offset + node.length, written(text, value, indentAt(text, node.offset)));
  }
  const name = path.at(-1);
  const parent = findNodeAtLocation(root, path.slice(0, -1));
  if (typeof name !== "string") return text;
  if (parent === undefined) return change(text, path.slice(0, -1), { [name]: value });
  return append(text, parent, (indent) => {
    const separator = indent === undefined && !text.includes(": ") ? ":" : ": ";
    return `${JSON.stringify(name)}${separator}${written(text, value, indent)}`;
  });
}

/** The path of a statement, whether the document has one or a list. */
function pathOf(text: string, index: number): JSONPath {
  const value: unknown = parse(text, [], OPTIONS);
  return isRecord(value) && isRecord(value["Statement"]) ? ["Statement"] : ["Statement", index];
}

/** Sets a member of a statement, or removes it where the value is `undefined`. */
export function setMember(text: string, index: number, member: string, value: unknown): string {
  return change(text, [...pathOf(text, index), member], value);
}

/** One value alone and several as a list. */
export function setValues(text: string, index: number, member: string, values: readonly string[]): string {
  return setMember(text, index, member, values.length === 1 ? values[0] : values);
}

/** Sets the values of a condition, or removes it where there are none; empty blocks go. */
export function setCondition(text: string, index: number, operator: string, key: string, values: readonly string[]): string {
  const path = pathOf(text, index);
  if (values.length > 0) {
    return change(text, [...path, "Condition", operator, key], values.length === 1 ? values[0] : values);
  }
  const statement = readPolicy(text).statements?.[index];
  const others = statement?.conditions.filter((other) => other.operator !== operator || other.key !== key) ?? [];
  if (others.length === 0) return change(text, [...path, "Condition"], undefined);
  if (!others.some((other) => other.operator === operator)) {
    return change(text, [...path, "Condition", operator], undefined);
  }
  return change(text, [...path, "Condition", operator, key], undefined);
}

/** Adds a statement at the end; one statement becomes a list. */
export function addStatement(text: string, statement: Readonly<Record<string, unknown>>): string {
  const root = parseTree(text, [], OPTIONS);
  if (root?.type !== "object") return JSON.stringify({ Version: "2012-10-17", Statement: [statement] }, null, 2);
  const node = findNodeAtLocation(root, ["Statement"]);
  if (node === undefined) return change(text, ["Statement"], [statement]);
  if (node.type === "array") return append(text, node, (indent) => written(text, statement, indent));
  const alone = text.slice(node.offset, node.offset + node.length);
  return splice(text, node.offset, node.offset + node.length, `[${alone}, ${written(text, statement, undefined)}]`);
}

/**
 * Inserts statements behind the statement that the offset stands in, or before the first one where it stands before
 * all; at the end, without an offset in the list. A text without statements becomes a document of these.
 */
export function insertStatements(
  text: string,
  added: readonly Readonly<Record<string, unknown>>[],
  offset: number | undefined,
): string {
  const root = parseTree(text, [], OPTIONS);
  const node = root?.type === "object" ? findNodeAtLocation(root, ["Statement"]) : undefined;
  const children = node?.type === "array" ? (node.children ?? []) : [];
  const [first] = children;
  const isInside = node !== undefined && offset !== undefined && offset > node.offset && offset < node.offset + node.length;
  if (node === undefined || first === undefined || !isInside) {
    return added.reduce((now: string, statement) => addStatement(now, statement), text);
  }
  const space = text.slice(node.offset + 1, first.offset);
  const line = space.lastIndexOf("\n");
  const indent = line < 0 ? undefined : space.slice(line + 1);
  const entries = added.map((statement) => written(text, statement, indent));
  const before = children.filter((child) => child.offset < offset).at(-1);
  if (before === undefined) return splice(text, first.offset, first.offset, entries.map((entry) => `${entry},${space}`).join(""));
  const end = before.offset + before.length;
  return splice(text, end, end, entries.map((entry) => `,${space}${entry}`).join(""));
}

/** Removes a statement. */
export function removeStatement(text: string, index: number): string {
  const path = pathOf(text, index);
  return path.length === 1 ? change(text, path, []) : change(text, path, undefined);
}

/** Removes the value of a path. */
export const removeAt = (text: string, path: readonly (string | number)[]): string => change(text, [...path], undefined);

/** Sets the version of the language; a missing one becomes the first member. */
export function setVersion(text: string): string {
  const root = parseTree(text, [], OPTIONS);
  if (root?.type !== "object") return text;
  const [first] = root.children ?? [];
  if (first === undefined || findNodeAtLocation(root, ["Version"]) !== undefined) {
    return change(text, ["Version"], "2012-10-17");
  }
  const space = text.slice(root.offset + 1, first.offset);
  return splice(text, first.offset, first.offset, `"Version": "2012-10-17",${space === "" ? " " : space}`);
}

/** Where a value begins and ends in the text, by its path. */
export function rangeOf(text: string, path: readonly (string | number)[]): { from: number; to: number } | undefined {
  let node = parseTree(text, [], OPTIONS);
  for (const step of path) {
    if (node === undefined) return undefined;
    if (node.type === "array" && typeof step === "number") {
      node = node.children?.[step];
      continue;
    }
    const member = node.children?.find((child) => child.children?.[0]?.value === step);
    node = member?.children?.[1];
  }
  return node === undefined ? undefined : { from: node.offset, to: node.offset + node.length };
}

/** The text laid out in lines; a text that is no JSON stays as it is. */
export function laidOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
