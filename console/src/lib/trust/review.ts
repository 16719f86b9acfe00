// What is wrong or dangerous about a trusted entity, before IAM is asked.

import { conditionValues, isRecord, parse, statements, strings } from "./document";
import { issuerUrl, type TrustedEntity } from "./entity";
import { subject, type Issuer } from "./issuers";

/** A field of the form that cannot stay as it is. */
export type FieldProblem = { readonly field: string; readonly kind: "missing" | "characters" | "notJson" };

/** A remark on the whole; `danger` is what opens the role to strangers. */
export interface TrustWarning {
  readonly kind:
    | "openSubject"
    | "sharedIssuerRefused"
    | "wildcardOrganization"
    | "missingAudience"
    | "missingExternalId"
    | "everyone";
  readonly severity: "danger" | "caution";
  /** The condition key or principal that it is about. */
  readonly about: string;
}

/**
 * Issuers that many customers share, with the claims of which IAM wants one restricted (IAM User Guide,
 * "Identity-provider controls for shared OIDC providers"). A name with a colon is a whole condition key.
 */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  "cognito-identity.amazonaws.com": ["aud"],
  "token.actions.githubusercontent.com": ["sub", "job_workflow_ref"],
  "agent.buildkite.com": ["sub"],
  "api.pulumi.com/oidc": ["aud"],
  "app.terraform.io": ["sub"],
  "gitlab.com": ["sub"],
  "oidc-configuration.audit-log.githubusercontent.com": ["sub"],
  "oidc.codefresh.io": ["sub"],
  "oidc.vercel.com": ["aud"],
  "proidc.upbound.io": ["sub"],
  "sandboxes.cloud": ["aud"],
  "scalr.io": ["sub"],
  "studio.datachain.ai/api": ["sub"],
  "tokens.cloud.shisho.dev": ["sub"],
  "vstoken.actions.githubusercontent.com": ["sub"],
  "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d": ["sts:RoleSessionName"],
};

/** The condition keys of which IAM wants one, for a shared issuer. */
export function requiredKeys(url: string): readonly string[] | undefined {
  const lower = url.toLowerCase();
  const claims = SHARED[lower] ?? (lower.startsWith("token.actions.githubusercontent.com/") ? ["sub", "job_workflow_ref"] : undefined);
  return claims?.map((claim) => (claim.includes(":") ? claim : `${url}:${claim}`));
}

const SCOPING = ["StringEquals", "StringEqualsIgnoreCase", "StringLike"];

/** Whether a statement restricts the key: a value of wildcards alone, or none, restricts nothing. */
export function isScoped(statement: Readonly<Record<string, unknown>>, key: string): boolean {
  return SCOPING.some((operator) => {
    const values = conditionValues(statement, [operator], key);
    return values !== undefined && values.length > 0 && values.every((value) => /[^*?]/.test(value));
  });
}

/** Reads the warnings from the document itself, so that a hand-written one gets the same. */
export function warnings(document: string, ownAccount: string): TrustWarning[] {
  const found: TrustWarning[] = [];
  for (const statement of statements(parse(document))) {
    if (statement["Effect"] !== "Allow") continue;
    const principal = statement["Principal"];
    const named = isRecord(principal) ? principal : { AWS: principal };
    for (const provider of strings(named["Federated"]) ?? []) {
      if (provider.includes(":saml-provider/")) continue;
      found.push(...webWarnings(statement, issuerUrl(provider) || provider));
    }
    found.push(...accountWarnings(statement, strings(named["AWS"]) ?? [], ownAccount));
  }
  return found;
}

function webWarnings(statement: Readonly<Record<string, unknown>>, url: string): TrustWarning[] {
  const found: TrustWarning[] = [];
  const keys = requiredKeys(url);
  if (keys && !keys.some((key) => isScoped(statement, key))) {
    return [{ kind: "sharedIssuerRefused", severity: "danger", about: keys.join(" or ") }];
  }
  const sub = `${url}:sub`;
  const isRestricted = isScoped(statement, sub) || (keys?.some((key) => isScoped(statement, key)) ?? false);
  if (!isRestricted) found.push({ kind: "openSubject", severity: "danger", about: sub });
  const values = conditionValues(statement, SCOPING, sub) ?? [];
  if (values.some((value) => /^(repo:|project_path:|organization:|org\/)[^/:]*[*?]/.test(value))) {
    found.push({ kind: "wildcardOrganization", severity: "danger", about: sub });
  }
  if (!isScoped(statement, `${url}:aud`)) {
    found.push({ kind: "missingAudience", severity: "caution", about: `${url}:aud` });
  }
  return found;
}

function accountWarnings(
  statement: Readonly<Record<string, unknown>>,
  principals: readonly string[],
  ownAccount: string,
): TrustWarning[] {
  if (principals.includes("*")) {
    const isLimited = isRecord(statement["Condition"]);
    return [{ kind: "everyone", severity: isLimited ? "caution" : "danger", about: "*" }];
  }
  const foreign = principals.filter((text) => /[0-9]{12}/.test(text) && !text.includes(ownAccount));
  const [first] = foreign;
  // "The confused deputy problem" (IAM User Guide): a third party needs an external id.
  const hasExternalId = isScoped(statement, "sts:ExternalId");
  if (first === undefined || hasExternalId) return [];
  return [{ kind: "missingExternalId", severity: "caution", about: first }];
}

const EXTERNAL_ID = /^[A-Za-z0-9_+=,.@:/-]{2,1224}$/;
const PRINCIPAL = /^(?:[0-9]{12}|arn:[a-z-]+:(?:iam|sts)::[0-9]{12}:(?:root|(?:user|role|assumed-role|federated-user)\/.+))$/;
const SERVICE = /^[a-z0-9.-]+\.(?:amazonaws\.com|amazonaws\.com\.cn|amazon\.com)$/;

/** The answers of the form that are missing or cannot be right. */
export function fieldProblems(entity: TrustedEntity): FieldProblem[] {
  switch (entity.kind) {
    case "service":
      return list("services", entity.services, SERVICE);
    case "account": {
      const problems = list("principals", entity.principals, PRINCIPAL);
      if (entity.externalId !== "" && !EXTERNAL_ID.test(entity.externalId)) {
        problems.push({ field: "externalId", kind: "characters" });
      }
      return problems;
    }
    case "webIdentity":
      return [
        ...list("provider", [entity.provider], /:oidc-provider\/./),
        ...list("audience", [entity.audience], /^[^*?$]+$/),
        ...issuerProblems(entity.issuer),
      ];
    case "saml":
      return [
        ...list("provider", [entity.provider], /:saml-provider\/./),
        ...list("audience", [entity.audience], /^[^*?$]+$/),
      ];
    case "custom":
      return isRecord(parse(entity.document)) ? [] : [{ field: "document", kind: "notJson" }];
  }
}

function list(field: string, values: readonly string[], pattern: RegExp): FieldProblem[] {
  if (values.length === 0 || values.includes("")) return [{ field, kind: "missing" }];
  return values.every((value) => pattern.test(value)) ? [] : [{ field, kind: "characters" }];
}

/**
 * A colon in a part would begin the next part of the claim, `$` a policy variable, and a wildcard in an
 * organization would trust its namesakes.
 */
function issuerProblems(issuer: Issuer): FieldProblem[] {
  const owner = /^[^*?:$\s]+$/;
  const rest = /^[^:$\s]*$/;
  const optional = (field: string, value: string): FieldProblem[] =>
    rest.test(value) ? [] : [{ field, kind: "characters" }];
  switch (issuer.kind) {
    case "github":
      return [
        ...list("organization", [issuer.organization], /^[^*?:$\s/]+$/),
        ...optional("repository", issuer.repository.replace("/", ":")),
        ...optional("ref", issuer.ref),
      ];
    case "gitlab":
      return [
        ...list("group", [issuer.group], owner),
        ...optional("project", issuer.project.replace("/", ":")),
        ...optional("ref", issuer.ref),
      ];
    case "circleci":
      return [
        ...list("organization", [issuer.organization], /^[^*?:$\s/]+$/),
        ...optional("project", issuer.project.replace("/", ":")),
      ];
    case "buildkite":
      return [
        ...list("organization", [issuer.organization], owner),
        ...optional("pipeline", issuer.pipeline),
        ...optional("branch", issuer.branch),
      ];
    case "kubernetes":
      return [
        ...list("namespace", [issuer.namespace], owner),
        ...optional("serviceAccount", issuer.serviceAccount),
      ];
    case "other":
      return subject(issuer).includes("${") ? [{ field: "subject", kind: "characters" }] : [];
  }
}
