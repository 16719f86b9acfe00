// What one version of a policy says that another does not, by effect, action and resource.

import { isRecord, statements, strings } from "../trust/document";

export interface StatementChange {
  readonly kind: "added" | "removed";
  readonly effect: string;
  readonly action: string;
  readonly resource: string;
  readonly isConditional: boolean;
}

/** The most changes that are listed; beyond it, the texts themselves are easier to read. */
const CHANGES_MAX = 200;

/** The changes from one document to the other; `undefined` where one of them is no document. */
export function policyChanges(before: unknown, after: unknown): StatementChange[] | undefined {
  if (!isRecord(before) || !isRecord(after)) return undefined;
  const old = grants(before);
  const now = grants(after);
  const changes: StatementChange[] = [];
  for (const [key, grant] of old) if (!now.has(key)) changes.push({ kind: "removed", ...grant });
  for (const [key, grant] of now) if (!old.has(key)) changes.push({ kind: "added", ...grant });
  return changes.slice(0, CHANGES_MAX);
}

type Grant = Omit<StatementChange, "kind">;

/** Each action on each resource, by a text that two equal ones share. */
function grants(document: unknown): Map<string, Grant> {
  const found = new Map<string, Grant>();
  for (const statement of statements(document)) {
    const effect = statement["Effect"] === "Deny" ? "Deny" : "Allow";
    const condition = JSON.stringify(statement["Condition"] ?? null);
    for (const action of named(statement, "Action", "NotAction")) {
      for (const resource of named(statement, "Resource", "NotResource")) {
        // Action names have no letter case.
        const key = JSON.stringify([effect, action.toLowerCase(), resource, condition]);
        found.set(key, { effect, action, resource, isConditional: condition !== "null" });
      }
    }
  }
  return found;
}

function named(statement: Readonly<Record<string, unknown>>, element: string, inverse: string): string[] {
  const values = strings(statement[element]);
  if (values !== undefined) return values;
  const excluded = strings(statement[inverse]) ?? [];
  return excluded.length === 0 ? [] : [`all but ${excluded.join(", ")}`];
}
