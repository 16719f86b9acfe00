// What IAM accepts as names, paths, descriptions and tags, so that a form says it before the request does
// (IAM User Guide, "IAM and AWS STS quotas"; IAM API Reference, the constraints of each member).

/** Why a value is not accepted. The strings catalogue has a sentence for each. */
export type NameProblem =
  | { readonly kind: "missing" }
  | { readonly kind: "tooShort"; readonly min: number }
  | { readonly kind: "tooLong"; readonly max: number }
  | { readonly kind: "characters" }
  | { readonly kind: "pathSlashes" }
  | { readonly kind: "reserved" }
  | { readonly kind: "digitsOnly" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "tooMany"; readonly max: number };

export type EntityKind =
  | "user"
  | "group"
  | "role"
  | "policy"
  | "instanceProfile"
  | "mfaDevice"
  | "samlProvider"
  | "inlinePolicy";

const LENGTH_MAX: Readonly<Record<EntityKind, number>> = {
  user: 64,
  group: 128,
  role: 64,
  policy: 128,
  instanceProfile: 128,
  mfaDevice: 226,
  samlProvider: 128,
  inlinePolicy: 128,
};

export const PATH_LENGTH_MAX = 512;
export const DESCRIPTION_LENGTH_MAX = 1000;
export const TAGS_MAX = 50;
export const TAG_KEY_LENGTH_MAX = 128;
export const TAG_VALUE_LENGTH_MAX = 256;
export const SESSION_SECONDS_MIN = 3600;
export const SESSION_SECONDS_MAX = 43_200;
export const ACCESS_KEYS_PER_USER = 2;
export const POLICY_VERSIONS_MAX = 5;

const NAME = /^[A-Za-z0-9_+=,.@-]+$/;
const SAML_NAME = /^[A-Za-z0-9._-]+$/;

export function nameProblem(kind: EntityKind, name: string): NameProblem | undefined {
  if (name === "") return { kind: "missing" };
  const max = LENGTH_MAX[kind];
  if (name.length > max) return { kind: "tooLong", max };
  const pattern = kind === "samlProvider" ? SAML_NAME : NAME;
  return pattern.test(name) ? undefined : { kind: "characters" };
}

/** A path begins and ends with a slash and has printable ASCII between. */
export function pathProblem(path: string): NameProblem | undefined {
  if (path === "" || path === "/") return undefined;
  if (path.length > PATH_LENGTH_MAX) return { kind: "tooLong", max: PATH_LENGTH_MAX };
  if (!path.startsWith("/") || !path.endsWith("/")) return { kind: "pathSlashes" };
  return /^\/[\u0021-\u007E]+\/$/.test(path) ? undefined : { kind: "characters" };
}

/** Descriptions of roles and policies: Latin-1 without control characters. */
export function descriptionProblem(text: string): NameProblem | undefined {
  if (text.length > DESCRIPTION_LENGTH_MAX) return { kind: "tooLong", max: DESCRIPTION_LENGTH_MAX };
  return /^[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*$/.test(text)
    ? undefined
    : { kind: "characters" };
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function tagKeyProblem(key: string): NameProblem | undefined {
  if (key === "") return { kind: "missing" };
  if (key.length > TAG_KEY_LENGTH_MAX) return { kind: "tooLong", max: TAG_KEY_LENGTH_MAX };
  if (!TAG_TEXT.test(key)) return { kind: "characters" };
  // "You cannot create a tag key that begins with aws:" (IAM User Guide, "Tags for IAM resources").
  return key.toLowerCase().startsWith("aws:") ? { kind: "reserved" } : undefined;
}

export function tagValueProblem(value: string): NameProblem | undefined {
  if (value.length > TAG_VALUE_LENGTH_MAX) return { kind: "tooLong", max: TAG_VALUE_LENGTH_MAX };
  return TAG_TEXT.test(value) ? undefined : { kind: "characters" };
}

/** The first problem of a set of tags. Keys are unique without regard to letter case. */
export function tagsProblem(tags: readonly Tag[]): NameProblem | undefined {
  if (tags.length > TAGS_MAX) return { kind: "tooMany", max: TAGS_MAX };
  const seen = new Set<string>();
  for (const { key, value } of tags) {
    const problem = tagKeyProblem(key) ?? tagValueProblem(value);
    if (problem) return problem;
    const folded = key.toLowerCase();
    if (seen.has(folded)) return { kind: "duplicate" };
    seen.add(folded);
  }
  return undefined;
}

/** An account alias: 3 to 63 of a-z, 0-9 and single hyphens within, and never an account id. */
export function aliasProblem(alias: string): NameProblem | undefined {
  if (alias === "") return { kind: "missing" };
  if (alias.length < 3) return { kind: "tooShort", min: 3 };
  if (alias.length > 63) return { kind: "tooLong", max: 63 };
  if (/^[0-9]{12}$/.test(alias)) return { kind: "digitsOnly" };
  return /^[a-z0-9](?:[a-z0-9]|-(?!-))*[a-z0-9]$/.test(alias) ? undefined : { kind: "characters" };
}

export function accountIdProblem(id: string): NameProblem | undefined {
  if (id === "") return { kind: "missing" };
  return /^[0-9]{12}$/.test(id) ? undefined : { kind: "characters" };
}

/** The maximum session duration of a role, in seconds. */
export function sessionSecondsProblem(seconds: number): NameProblem | undefined {
  if (!Number.isInteger(seconds)) return { kind: "characters" };
  if (seconds < SESSION_SECONDS_MIN) return { kind: "tooShort", min: SESSION_SECONDS_MIN };
  return seconds > SESSION_SECONDS_MAX ? { kind: "tooLong", max: SESSION_SECONDS_MAX } : undefined;
}

/** An authenticator's code is six digits. */
export function mfaCodeProblem(code: string): NameProblem | undefined {
  if (code === "") return { kind: "missing" };
  return /^[0-9]{6}$/.test(code) ? undefined : { kind: "characters" };
}
