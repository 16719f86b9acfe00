// The trusted entity of a role as the wizard asks for it, and the trust policy that follows.

import { emptyIssuer, issuerKind, issuerOf, subject, type Issuer } from "./issuers";
import {
  conditionValues,
  format,
  isRecord,
  oneOrMany,
  parse,
  sameDocument,
  statements,
  strings,
  type ConditionBlock,
  type TrustDocument,
  type TrustStatement,
} from "./document";

export type TrustedEntity =
  | { readonly kind: "service"; readonly services: readonly string[] }
  | {
      readonly kind: "account";
      /** Account ids and ARNs of users and roles. */
      readonly principals: readonly string[];
      readonly externalId: string;
      readonly mfa: boolean;
    }
  | {
      readonly kind: "webIdentity";
      /** ARN of the OIDC provider. */
      readonly provider: string;
      readonly audience: string;
      readonly issuer: Issuer;
    }
  | {
      readonly kind: "saml";
      /** ARN of the SAML provider. */
      readonly provider: string;
      readonly audience: string;
      readonly tagSession: boolean;
    }
  | { readonly kind: "custom"; readonly document: string };

export type EntityKind = TrustedEntity["kind"];

/** The audience that AWS's console writes for SAML (IAM User Guide, "Create a role for SAML 2.0 federation"). */
export const SAML_AUDIENCE = "https://signin.aws.amazon.com/saml";

/** Services that assume roles here: hosts that joined assume a role as EC2 instances do. */
export const SERVICES = ["ec2.amazonaws.com"] as const;

export function emptyEntity(kind: EntityKind): TrustedEntity {
  switch (kind) {
    case "service":
      return { kind, services: [SERVICES[0]] };
    case "account":
      return { kind, principals: [], externalId: "", mfa: false };
    case "webIdentity":
      return { kind, provider: "", audience: "", issuer: emptyIssuer("github") };
    case "saml":
      return { kind, provider: "", audience: SAML_AUDIENCE, tagSession: false };
    case "custom":
      return {
        kind,
        document: format(
          documentOf({ Effect: "Allow", Principal: {}, Action: "sts:AssumeRole" }),
        ),
      };
  }
}

/** The issuer of a provider's ARN: its URL without the scheme. */
export function issuerUrl(provider: string): string {
  return provider.split(":oidc-provider/")[1] ?? "";
}

/** The account, user or role as IAM writes it: an account id stands for the account's root ARN. */
export function principalArn(text: string, partition: string): string {
  return /^[0-9]{12}$/.test(text) ? `arn:${partition}:iam::${text}:root` : text;
}

function documentOf(statement: TrustStatement): TrustDocument {
  return { Version: "2012-10-17", Statement: [statement] };
}

/** The trust policy of an entity, as text. */
export function trustPolicy(entity: TrustedEntity, partition = "aws"): string {
  return entity.kind === "custom" ? entity.document : format(build(entity, partition));
}

function build(entity: Exclude<TrustedEntity, { kind: "custom" }>, partition: string): TrustDocument {
  switch (entity.kind) {
    case "service":
      return documentOf({
        Effect: "Allow",
        Principal: { Service: oneOrMany(entity.services) },
        Action: "sts:AssumeRole",
      });
    case "account":
      return documentOf({
        Effect: "Allow",
        Principal: { AWS: oneOrMany(entity.principals.map((text) => principalArn(text, partition))) },
        Action: "sts:AssumeRole",
        ...accountCondition(entity.externalId, entity.mfa),
      });
    case "webIdentity":
      return documentOf({
        Effect: "Allow",
        Principal: { Federated: entity.provider },
        Action: "sts:AssumeRoleWithWebIdentity",
        ...webCondition(issuerUrl(entity.provider), entity.audience, subject(entity.issuer)),
      });
    case "saml":
      return documentOf({
        Effect: "Allow",
        Principal: { Federated: entity.provider },
        Action: entity.tagSession
          ? ["sts:AssumeRoleWithSAML", "sts:TagSession"]
          : "sts:AssumeRoleWithSAML",
        Condition: { StringEquals: { "SAML:aud": entity.audience } },
      });
  }
}

function accountCondition(externalId: string, mfa: boolean): { Condition?: ConditionBlock } {
  const block: Record<string, Record<string, string>> = {};
  if (externalId !== "") block["StringEquals"] = { "sts:ExternalId": externalId };
  if (mfa) block["Bool"] = { "aws:MultiFactorAuthPresent": "true" };
  return Object.keys(block).length === 0 ? {} : { Condition: block };
}

function webCondition(url: string, audience: string, sub: string): { Condition?: ConditionBlock } {
  const equals: Record<string, string> = {};
  if (audience !== "") equals[`${url}:aud`] = audience;
  const isPattern = /[*?]/.test(sub);
  if (sub !== "" && !isPattern) equals[`${url}:sub`] = sub;
  const block: Record<string, Record<string, string>> = {};
  if (Object.keys(equals).length > 0) block["StringEquals"] = equals;
  if (sub !== "" && isPattern) block["StringLike"] = { [`${url}:sub`]: sub };
  return Object.keys(block).length === 0 ? {} : { Condition: block };
}

/**
 * The entity that a trust policy names. A document that the wizard would not write in the same sense is
 * custom, so that nothing of it is lost.
 */
export function recognize(text: string, partition = "aws"): TrustedEntity {
  const custom: TrustedEntity = { kind: "custom", document: text };
  const document = parse(text);
  const found = statements(document);
  const [statement] = found;
  if (found.length !== 1 || !statement) return custom;
  const entity = read(statement);
  if (!entity || entity.kind === "custom") return custom;
  return sameDocument(build(entity, partition), document) ? entity : custom;
}

function read(statement: Readonly<Record<string, unknown>>): TrustedEntity | undefined {
  const principal = statement["Principal"];
  if (!isRecord(principal)) return undefined;
  const services = strings(principal["Service"]);
  if (services) return { kind: "service", services };
  const principals = strings(principal["AWS"]);
  if (principals) {
    const externalId = conditionValues(statement, ["StringEquals"], "sts:ExternalId")?.[0] ?? "";
    const mfa = conditionValues(statement, ["Bool"], "aws:MultiFactorAuthPresent")?.[0] === "true";
    return { kind: "account", principals, externalId, mfa };
  }
  const provider = strings(principal["Federated"])?.[0];
  if (provider === undefined) return undefined;
  if (provider.includes(":saml-provider/")) return readSaml(statement, provider);
  return readWeb(statement, provider);
}

function readSaml(statement: Readonly<Record<string, unknown>>, provider: string): TrustedEntity {
  const audience = conditionValues(statement, ["StringEquals"], "SAML:aud")?.[0] ?? "";
  const tagSession = strings(statement["Action"])?.includes("sts:TagSession") ?? false;
  return { kind: "saml", provider, audience, tagSession };
}

function readWeb(statement: Readonly<Record<string, unknown>>, provider: string): TrustedEntity {
  const url = issuerUrl(provider);
  const audience = conditionValues(statement, ["StringEquals"], `${url}:aud`)?.[0] ?? "";
  const sub = conditionValues(statement, ["StringEquals", "StringLike"], `${url}:sub`)?.[0] ?? "";
  const known = issuerKind(url);
  const kind = known === "other" ? kindOfSubject(sub) : known;
  const issuer = sub === "" ? emptyIssuer(kind) : issuerOf(kind, sub);
  return { kind: "webIdentity", provider, audience, issuer };
}

/** A cluster and a self-managed GitLab have URLs of their own; their subjects tell them. */
function kindOfSubject(sub: string): Issuer["kind"] {
  if (sub.startsWith("system:serviceaccount:")) return "kubernetes";
  if (sub.startsWith("project_path:")) return "gitlab";
  return "other";
}
