// The issuers whose tokens the role wizard knows: what it asks for, and the `sub` claim that follows.
// Formats of `sub`: GitHub Docs, "OpenID Connect reference"; GitLab Docs, "OpenID Connect (OIDC)
// Authentication Using ID Tokens"; CircleCI Docs, "Using OpenID Connect tokens in jobs"; Buildkite Docs,
// "OIDC with Buildkite"; Kubernetes Docs, "Managing Service Accounts".

export type Issuer =
  | {
      readonly kind: "github";
      readonly organization: string;
      readonly repository: string;
      readonly scope: "any" | "branch" | "tag" | "environment" | "pullRequest";
      readonly ref: string;
    }
  | {
      readonly kind: "gitlab";
      readonly group: string;
      readonly project: string;
      readonly scope: "any" | "branch" | "tag";
      readonly ref: string;
    }
  | { readonly kind: "circleci"; readonly organization: string; readonly project: string }
  | {
      readonly kind: "buildkite";
      readonly organization: string;
      readonly pipeline: string;
      readonly branch: string;
    }
  | { readonly kind: "kubernetes"; readonly namespace: string; readonly serviceAccount: string }
  | { readonly kind: "other"; readonly subject: string };

export type IssuerKind = Issuer["kind"];

export const GITHUB = "token.actions.githubusercontent.com";
const BUILDKITE = "agent.buildkite.com";
const CIRCLECI = /^oidc\.circleci\.com\/org\/([^/]+)$/;

/** A form without answers for the issuer. */
export function emptyIssuer(kind: IssuerKind, url = ""): Issuer {
  switch (kind) {
    case "github":
      return { kind, organization: "", repository: "", scope: "any", ref: "" };
    case "gitlab":
      return { kind, group: "", project: "", scope: "any", ref: "" };
    case "circleci":
      return { kind, organization: CIRCLECI.exec(url)?.[1] ?? "", project: "" };
    case "buildkite":
      return { kind, organization: "", pipeline: "", branch: "" };
    case "kubernetes":
      return { kind, namespace: "", serviceAccount: "" };
    case "other":
      return { kind, subject: "" };
  }
}

/** The kind that an issuer's URL (without scheme) tells. A cluster's or a self-managed GitLab's URL tells none. */
export function issuerKind(url: string): IssuerKind {
  if (url === GITHUB || url.startsWith(`${GITHUB}/`)) return "github";
  if (/(^|\.)gitlab\./.test(url)) return "gitlab";
  if (url === BUILDKITE) return "buildkite";
  if (CIRCLECI.test(url)) return "circleci";
  if (/(^|[./])(kubernetes|k8s|oke|eks|gke)[./]|^oidc\.eks\.|^container\.googleapis\.com\//.test(url)) {
    return "kubernetes";
  }
  return "other";
}

/** Any value, where a part was left empty. */
function any(part: string): string {
  return part === "" ? "*" : part;
}

/** The pattern of the `sub` claim; empty when nothing restricts it. */
export function subject(issuer: Issuer): string {
  switch (issuer.kind) {
    case "github": {
      if (issuer.organization === "") return "";
      const repository = `repo:${issuer.organization}/${any(issuer.repository)}`;
      switch (issuer.scope) {
        case "any":
          return `${repository}:*`;
        case "branch":
          return `${repository}:ref:refs/heads/${any(issuer.ref)}`;
        case "tag":
          return `${repository}:ref:refs/tags/${any(issuer.ref)}`;
        case "environment":
          return `${repository}:environment:${any(issuer.ref)}`;
        case "pullRequest":
          return `${repository}:pull_request`;
      }
    }
    // falls through: each scope above returns
    case "gitlab": {
      if (issuer.group === "") return "";
      const project = `project_path:${issuer.group}/${any(issuer.project)}`;
      if (issuer.scope === "any") return `${project}:*`;
      return `${project}:ref_type:${issuer.scope}:ref:${any(issuer.ref)}`;
    }
    case "circleci":
      if (issuer.organization === "") return "";
      return `org/${issuer.organization}/project/${any(issuer.project)}/user/*`;
    case "buildkite": {
      if (issuer.organization === "") return "";
      const pipeline = `organization:${issuer.organization}:pipeline:${any(issuer.pipeline)}`;
      if (issuer.branch === "") return `${pipeline}:*`;
      return `${pipeline}:ref:refs/heads/${issuer.branch}:*`;
    }
    case "kubernetes":
      if (issuer.namespace === "") return "";
      return `system:serviceaccount:${issuer.namespace}:${any(issuer.serviceAccount)}`;
    case "other":
      return issuer.subject;
  }
}

/** Undoes `any`. */
function part(value: string | undefined): string {
  return value === undefined || value === "*" ? "" : value;
}

/** The form whose `subject` is this text, or the text itself where no form gives it. */
export function issuerOf(kind: IssuerKind, text: string): Issuer {
  const read = READERS.find(([of]) => of === kind)?.[1](text);
  return read && subject(read) === text ? read : { kind: "other", subject: text };
}

const READERS: readonly (readonly [IssuerKind, (text: string) => Issuer | undefined])[] = [
  ["github", readGithub],
  ["gitlab", readGitlab],
  ["circleci", readCircleci],
  ["buildkite", readBuildkite],
  ["kubernetes", readKubernetes],
];

function readGithub(text: string): Issuer | undefined {
  const match = /^repo:([^/:]+)\/([^:]+):(.*)$/s.exec(text);
  if (!match) return undefined;
  const [, organization = "", repository, rest = ""] = match;
  const base = { kind: "github", organization, repository: part(repository) } as const;
  const ref = /^(ref:refs\/heads\/|ref:refs\/tags\/|environment:)(.+)$/s.exec(rest);
  if (rest === "*") return { ...base, scope: "any", ref: "" };
  if (rest === "pull_request") return { ...base, scope: "pullRequest", ref: "" };
  if (!ref) return undefined;
  const scope = ref[1] === "environment:" ? "environment" : ref[1] === "ref:refs/tags/" ? "tag" : "branch";
  return { ...base, scope, ref: part(ref[2]) };
}

function readGitlab(text: string): Issuer | undefined {
  const match = /^project_path:([^:]+)\/([^:/]+):(.*)$/s.exec(text);
  if (!match) return undefined;
  const [, group = "", project, rest = ""] = match;
  const base = { kind: "gitlab", group, project: part(project) } as const;
  if (rest === "*") return { ...base, scope: "any", ref: "" };
  const ref = /^ref_type:(branch|tag):ref:(.+)$/s.exec(rest);
  return ref ? { ...base, scope: ref[1] === "tag" ? "tag" : "branch", ref: part(ref[2]) } : undefined;
}

function readCircleci(text: string): Issuer | undefined {
  const match = /^org\/([^/]+)\/project\/([^/]+)\/user\/\*$/.exec(text);
  return match ? { kind: "circleci", organization: match[1] ?? "", project: part(match[2]) } : undefined;
}

function readBuildkite(text: string): Issuer | undefined {
  const match = /^organization:([^:]+):pipeline:([^:]+):(?:ref:refs\/heads\/([^:]+):)?\*$/.exec(text);
  if (!match) return undefined;
  return {
    kind: "buildkite",
    organization: match[1] ?? "",
    pipeline: part(match[2]),
    branch: match[3] ?? "",
  };
}

function readKubernetes(text: string): Issuer | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(text);
  return match
    ? { kind: "kubernetes", namespace: match[1] ?? "", serviceAccount: part(match[2]) }
    : undefined;
}
