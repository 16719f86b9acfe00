/** What differs between two documents, in words: statements that came, went or changed, entry by entry. */

import { readPolicy, type Statement } from "./document";

/** A difference; the console's strings turn it into a sentence. */
export type Difference =
  | { kind: "added" | "removed"; name: string; effect: string; actions: string[]; resources: string[]; principals: string[] }
  | { kind: "entries"; name: string; element: string; added: string[]; removed: string[] }
  | { kind: "effect"; name: string; to: string }
  | { kind: "unreadable" };

const nameOf = (statement: Statement, index: number): string => statement.sid ?? String(index + 1);

const principalsOf = (statement: Statement): string[] =>
  Object.entries(statement.principals ?? {}).flatMap(([type, named]) =>
    named.map((name) => (type === "AWS" ? name : `${type} ${name}`)),
  );

const conditionsOf = (statement: Statement): string[] =>
  statement.conditions.flatMap(({ operator, key, values }) => values.map((value) => `${operator} ${key} ${value}`));

const elementsOf = (statement: Statement): Record<string, string[]> => ({
  [statement.notAction ? "NotAction" : "Action"]: statement.actions,
  [statement.notResource ? "NotResource" : "Resource"]: statement.resources ?? [],
  [statement.notPrincipal ? "NotPrincipal" : "Principal"]: principalsOf(statement),
  Condition: conditionsOf(statement),
});

/** Pairs statements by their Sid, then those that are equal, then by their place among the rest. */
function pairs(before: readonly Statement[], after: readonly Statement[]) {
  const left = new Set(before.keys());
  const right = new Set(after.keys());
  const found: [number, number][] = [];
  const pair = (same: (a: Statement, b: Statement) => boolean) => {
    for (const at of left) {
      const one = before[at];
      const match = [...right].find((other) => {
        const two = after[other];
        return one !== undefined && two !== undefined && same(one, two);
      });
      if (match === undefined) continue;
      left.delete(at);
      right.delete(match);
      found.push([at, match]);
    }
  };
  pair((a, b) => a.sid !== undefined && a.sid === b.sid);
  pair((a, b) => JSON.stringify(a) === JSON.stringify(b));
  pair((a, b) => a.sid === b.sid && a.effect === b.effect);
  return { found, removed: [...left], added: [...right] };
}

export function differences(before: string, after: string): Difference[] {
  const one = readPolicy(before.trim() === "" ? "{}" : before).statements;
  const two = readPolicy(after.trim() === "" ? "{}" : after).statements;
  if (one === undefined || two === undefined) return [{ kind: "unreadable" }];
  const { found, removed, added } = pairs(one, two);
  const whole = (kind: "added" | "removed", statement: Statement, index: number): Difference => ({
    kind,
    name: nameOf(statement, index),
    effect: statement.effect ?? "",
    actions: statement.actions,
    resources: statement.resources ?? [],
    principals: principalsOf(statement),
  });
  const changed = found.flatMap(([from, to]): Difference[] => {
    const [a, b] = [one[from], two[to]];
    if (a === undefined || b === undefined) return [];
    const name = nameOf(b, to);
    const effect: Difference[] = a.effect === b.effect ? [] : [{ kind: "effect", name, to: b.effect ?? "" }];
    const [old, now] = [elementsOf(a), elementsOf(b)];
    const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    const entries = names.map((element): Difference => {
      const [was, is] = [old[element] ?? [], now[element] ?? []];
      const missing = (list: string[], other: string[]) => list.filter((entry) => !other.includes(entry));
      return { kind: "entries", name, element, added: missing(is, was), removed: missing(was, is) };
    });
    return [...effect, ...entries.filter((entry) => entry.kind === "entries" && entry.added.length + entry.removed.length > 0)];
  });
  const every = (list: number[], statements: readonly Statement[], kind: "added" | "removed") =>
    list.flatMap((index) => {
      const statement = statements[index];
      return statement === undefined ? [] : [whole(kind, statement, index)];
    });
  return [...every(added, two, "added"), ...every(removed, one, "removed"), ...changed];
}
