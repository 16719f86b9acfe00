// What one document says that another does not, by effect, principal, action and resource: for identity policies, trust
// policies, repository policies and those of an organization.

import { isRecord, statements, strings } from "../trust/document";

interface Grant {
  readonly principal: string | undefined;
  readonly action: string;
  readonly resource: string | undefined;
}

export type StatementChange = Grant &
  (
    | { readonly kind: "added" | "removed"; readonly effect: string; readonly isConditional: boolean }
    /** The same action on the same resource with the same conditions is denied now and was allowed, or the reverse. */
    | { readonly kind: "effect"; readonly from: string; readonly to: string; readonly isConditional: boolean }
    /** The same effect on the same action and resource, under other conditions. */
    | { readonly kind: "conditions"; readonly effect: string; readonly from: string; readonly to: string }
  );

/** The most changes that are listed; beyond it, the texts themselves are easier to read. */
export const CHANGES_MAX = 200;

interface Stated {
  readonly grant: Grant;
  readonly effect: string;
  /** The conditions in a form that equal ones share; empty where there are none. */
  readonly conditions: string;
}

/** The changes from one document to the other; `undefined` where one of them is no document. */
export function policyChanges(before: unknown, after: unknown): StatementChange[] | undefined {
  if (!isRecord(before) || !isRecord(after)) return undefined;
  const [old, now] = [stated(before), stated(after)];
  const gone = [...old.values()].filter((each) => !now.has(keyOf(each)));
  const come = [...now.values()].filter((each) => !old.has(keyOf(each)));
  const changes: StatementChange[] = [];
  const pair = (isPair: (a: Stated, b: Stated) => boolean, make: (a: Stated, b: Stated) => StatementChange) => {
    for (const a of [...gone]) {
      const at = come.findIndex((b) => grantKey(a.grant) === grantKey(b.grant) && isPair(a, b));
      const b = come[at];
      if (b === undefined) continue;
      changes.push(make(a, b));
      gone.splice(gone.indexOf(a), 1);
      come.splice(at, 1);
    }
  };
  pair(
    (a, b) => a.effect !== b.effect && a.conditions === b.conditions,
    (a, b) => ({ kind: "effect", ...b.grant, from: a.effect, to: b.effect, isConditional: b.conditions !== "" }),
  );
  pair(
    (a, b) => a.effect === b.effect,
    (a, b) => ({ kind: "conditions", ...b.grant, effect: b.effect, from: a.conditions, to: b.conditions }),
  );
  const plain = (kind: "added" | "removed") => ({ grant, effect, conditions }: Stated): StatementChange => ({
    kind,
    ...grant,
    effect,
    isConditional: conditions !== "",
  });
  return [...changes, ...gone.map(plain("removed")), ...come.map(plain("added"))].slice(0, CHANGES_MAX);
}

/** Action names have no letter case. */
const grantKey = ({ principal, action, resource }: Grant): string =>
  JSON.stringify([principal, action.toLowerCase(), resource]);

const keyOf = ({ grant, effect, conditions }: Stated): string => JSON.stringify([grantKey(grant), effect, conditions]);

/** Each principal, action and resource that a document states, by a text that two equal ones share. */
function stated(document: unknown): Map<string, Stated> {
  const found = new Map<string, Stated>();
  for (const statement of statements(document)) {
    const effect = statement["Effect"] === "Deny" ? "Deny" : "Allow";
    const conditions = conditionText(statement["Condition"]);
    for (const principal of principalsOf(statement)) {
      for (const action of named(statement, "Action", "NotAction") ?? []) {
        for (const resource of named(statement, "Resource", "NotResource") ?? [undefined]) {
          const each = { grant: { principal, action, resource }, effect, conditions };
          found.set(keyOf(each), each);
        }
      }
    }
  }
  return found;
}

function named(statement: Readonly<Record<string, unknown>>, element: string, inverse: string): string[] | undefined {
  const values = strings(statement[element]);
  if (values !== undefined) return values;
  const excluded = strings(statement[inverse]);
  return excluded === undefined ? undefined : [`all but ${[...excluded].sort().join(", ")}`];
}

function principalsOf(statement: Readonly<Record<string, unknown>>): (string | undefined)[] {
  const value = statement["Principal"] ?? statement["NotPrincipal"];
  if (value === undefined) return [undefined];
  const listed =
    value === "*"
      ? ["*"]
      : isRecord(value)
        ? Object.entries(value).flatMap(([type, names]) =>
            (strings(names) ?? []).map((name) => (type === "AWS" ? name : `${type} ${name}`)),
          )
        : [];
  return statement["Principal"] === undefined ? [`all but ${[...listed].sort().join(", ")}`] : listed;
}

/** Conditions as `StringEquals aws:SourceVpc = a, b; …`, in one order. */
function conditionText(block: unknown): string {
  if (!isRecord(block)) return "";
  const parts = Object.entries(block).flatMap(([operator, keys]) =>
    isRecord(keys) ? Object.entries(keys).map(([key, values]) => `${operator} ${key} = ${valuesText(values)}`) : [],
  );
  return parts.sort().join("; ");
}

function valuesText(values: unknown): string {
  const list: readonly unknown[] = Array.isArray(values) ? values : [values];
  return list
    .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
    .sort()
    .join(", ");
}
