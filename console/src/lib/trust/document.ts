// The parts of a trust policy's document, and how to read them from JSON without trusting its form.

export type OneOrMany = string | readonly string[];
export type ConditionBlock = Readonly<Record<string, Readonly<Record<string, OneOrMany>>>>;

export interface TrustStatement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal: "*" | Readonly<Record<string, OneOrMany>>;
  readonly Action: OneOrMany;
  readonly Condition?: ConditionBlock;
}

export interface TrustDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly TrustStatement[];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string or a list of strings as a list; anything else is `undefined`. */
export function strings(value: unknown): string[] | undefined {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return undefined;
  const list: readonly unknown[] = value;
  const all = list.filter((item): item is string => typeof item === "string");
  return all.length === list.length ? all : undefined;
}

/** The statements of a document, whether it has one or a list. */
export function statements(document: unknown): Readonly<Record<string, unknown>>[] {
  if (!isRecord(document)) return [];
  const found: unknown = document["Statement"];
  const list: readonly unknown[] = Array.isArray(found) ? found : [found];
  return list.filter(isRecord);
}

/** The values of one condition key of an operator; names are compared without regard to letter case. */
export function conditionValues(
  statement: Readonly<Record<string, unknown>>,
  operators: readonly string[],
  key: string,
): string[] | undefined {
  const block = statement["Condition"];
  if (!isRecord(block)) return undefined;
  const wanted = operators.map((name) => name.toLowerCase());
  for (const [operator, keys] of Object.entries(block)) {
    if (!wanted.includes(operator.toLowerCase()) || !isRecord(keys)) continue;
    for (const [name, values] of Object.entries(keys)) {
      if (name.toLowerCase() === key.toLowerCase()) return strings(values);
    }
  }
  return undefined;
}

/** One value stands alone, several in a list: the way AWS's console writes documents. */
export function oneOrMany(values: readonly string[]): OneOrMany {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

/** Text of a document as IAM returns it and as editors show it. */
export function format(document: unknown): string {
  return JSON.stringify(document, undefined, 2);
}

/** IAM returns documents percent-encoded as RFC 3986 says (IAM API Reference, GetRole). */
export function decodeDocument(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded: a document may hold a bare percent sign.
    return text;
  }
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether two documents say the same: the order of keys and of lists' elements does not matter. */
export function sameDocument(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    // A list with one element is the element.
    if (list.length === 1) return canonical(list[0]);
    return `[${list.map(canonical).sort().join(",")}]`;
  }
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`);
    return `{${entries.sort().join(",")}}`;
  }
  return JSON.stringify(value);
}
