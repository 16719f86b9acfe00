/** A change that a form makes: a call of a public API, from which commands are generated. */

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json | undefined };

export interface Change {
  /** The command line's name of the service, such as `ecr`. */
  service: string;
  /** The operation's name in the API, such as `CreateRepository`. */
  operation: string;
  input: Record<string, Json | undefined>;
  /** Members of the input that are secret: commands read them from an environment variable. */
  secrets?: string[];
}

/** Members that are set, and not empty lists. */
export function members(change: Change): [string, Json][] {
  return Object.entries(change.input).filter(
    (member): member is [string, Json] =>
      member[1] !== undefined && !(Array.isArray(member[1]) && member[1].length === 0),
  );
}

/** The text of a JSON document laid out in lines; `undefined` for another value. */
export function documentText(value: Json): string | undefined {
  if (typeof value !== "string" || !/^\s*\{/.test(value)) return undefined;
  try {
    return JSON.stringify(JSON.parse(value), undefined, 2);
  } catch {
    return undefined;
  }
}

/** `RepositoryName` with a separator between its words: `repository-name`. Runs of capitals stay together. */
export function words(name: string, separator: "-" | "_"): string {
  // A plural of an abbreviation is one word: `ContextKeyARNs`.
  const plural = /[A-Z]{2,}s$/.exec(name);
  const text = plural === null ? name : `${name.slice(0, plural.index)}${separator}${plural[0].toLowerCase()}`;
  return text
    .replace(/([^A-Z_-])([A-Z][a-z]+)/g, `$1${separator}$2`)
    .replace(/([A-Z])([A-Z][a-z]+)/g, `$1${separator}$2`)
    .replace(/([a-z0-9])([A-Z])/g, `$1${separator}$2`)
    .toLowerCase();
}

/** The environment variable that holds a secret member. */
export const variable = (name: string): string => words(name, "_").toUpperCase();

/** Members that are secret in each operation that has them. Codes of MFA devices are used once. */
const SECRETS: ReadonlySet<string> = new Set([
  "Password",
  "OldPassword",
  "NewPassword",
  "AuthenticationCode1",
  "AuthenticationCode2",
  "bearerToken",
  "clientKey",
]);

/** Whether a member is secret. */
export const isSecret = (change: Change, name: string): boolean =>
  SECRETS.has(name) || (change.secrets?.includes(name) ?? false);
