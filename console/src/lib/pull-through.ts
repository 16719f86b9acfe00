/** Rules of the pull through cache: the form of a new one, the calls that it makes, and what a rule's images are called. */

import { shellWord } from "./commands/awsCli";
import type { Change } from "./commands/change";

/** What a registry takes for credentials; `any`: a secret, a role of this server, or none. */
export type Credential = "none" | "secret" | "any";

/** A registry that ECR knows by its host (ECR User Guide, "Pull through cache rules"). */
export interface KnownUpstream {
  id: string;
  host: string;
  credential: Credential;
  /** An image below the registry, for the first pull. */
  example: string;
}

export const UPSTREAMS: readonly KnownUpstream[] = [
  { id: "docker-hub", host: "registry-1.docker.io", credential: "secret", example: "library/alpine:latest" },
  { id: "quay", host: "quay.io", credential: "none", example: "prometheus/prometheus:latest" },
  { id: "k8s", host: "registry.k8s.io", credential: "none", example: "pause:3.10" },
  { id: "github", host: "ghcr.io", credential: "secret", example: "OWNER/IMAGE:TAG" },
  { id: "gitlab", host: "registry.gitlab.com", credential: "secret", example: "GROUP/PROJECT:TAG" },
  { id: "ecr-public", host: "public.ecr.aws", credential: "none", example: "docker/library/alpine:latest" },
  { id: "chainguard", host: "cgr.dev", credential: "secret", example: "ORGANIZATION/IMAGE:TAG" },
];

/** Any other registry, also one of Azure or Amazon ECR, whose hosts have the customer's name in them. */
export const OTHER = "other";

const HOST_EXAMPLE = "IMAGE:TAG";

/** What the registry behind a URL takes for credentials. */
export function credentialOf(url: string): Credential {
  const host = url.trim();
  const known = UPSTREAMS.find((each) => each.host === host);
  if (known !== undefined) return known.credential;
  return host.endsWith(".azurecr.io") ? "secret" : "any";
}

export const exampleOf = (url: string): string =>
  UPSTREAMS.find(({ host }) => host === url)?.example ?? HOST_EXAMPLE;

export interface RuleForm {
  prefix: string;
  /** The id of a known upstream, or `OTHER`. */
  upstream: string;
  /** A host, perhaps with a port; with `http://` before it for a registry without TLS. */
  url: string;
  upstreamPrefix: string;
  /** The ARN of a secret; empty for none. */
  secret: string;
  /** The ARN of a role; empty for none. */
  role: string;
}

export const EMPTY_RULE: RuleForm = {
  prefix: "",
  upstream: "docker-hub",
  url: "registry-1.docker.io",
  upstreamPrefix: "",
  secret: "",
  role: "",
};

/** ECR API Reference, CreatePullThroughCacheRule: `ecrRepositoryPrefix`. */
const PREFIX = /^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$/;
const PREFIX_MIN = 2;
const PREFIX_MAX = 30;
/** The prefix of all repositories. */
export const ROOT = "ROOT";
const HOST = /^(http:\/\/)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?$/;

export const isRulePrefix = (text: string, lengthMax = PREFIX_MAX): boolean =>
  text.length >= PREFIX_MIN && text.length <= lengthMax && PREFIX.test(text);

const ROLE = /^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role\/.+$/;

/** A host, perhaps with a port, and with `http://` before it for a registry without TLS. */
export const isUpstreamHost = (text: string): boolean => HOST.test(text);
export const isRoleArn = (text: string): boolean => ROLE.test(text);

/** Whether the form asks for credentials of this kind at all. */
export const takesSecret = (url: string): boolean => credentialOf(url) !== "none";
export const takesRole = (url: string): boolean => credentialOf(url) === "any";

/** Members that are wrong. */
export function ruleProblems(form: RuleForm): ReadonlySet<keyof RuleForm> {
  const upstreamPrefix = form.upstreamPrefix.trim();
  const credential = credentialOf(form.url);
  const wrong: [keyof RuleForm, boolean][] = [
    ["prefix", !isRulePrefix(form.prefix.trim())],
    ["url", !isUpstreamHost(form.url.trim())],
    // All repositories of the cache stand for all of the upstream's.
    ["upstreamPrefix", upstreamPrefix !== "" && (form.prefix === ROOT ? upstreamPrefix !== ROOT : !isRulePrefix(upstreamPrefix))],
    ["secret", credential === "secret" && form.secret === ""],
    ["role", credential === "any" && form.role.trim() !== "" && (form.secret !== "" || !isRoleArn(form.role.trim()))],
  ];
  return new Set(wrong.flatMap(([member, isWrong]) => (isWrong ? [member] : [])));
}

/** The credentials that the form's upstream takes; what is left over from another choice is not sent. */
function credentials({ url, secret, role }: Pick<RuleForm, "url" | "secret" | "role">) {
  return {
    ...(takesSecret(url) && secret !== "" ? { credentialArn: secret } : {}),
    ...(takesRole(url) && role.trim() !== "" ? { customRoleArn: role.trim() } : {}),
  };
}

export function createRule(form: RuleForm): Change {
  const upstreamPrefix = form.upstreamPrefix.trim();
  return {
    service: "ecr",
    operation: "CreatePullThroughCacheRule",
    input: {
      ecrRepositoryPrefix: form.prefix.trim(),
      upstreamRegistryUrl: form.url.trim(),
      ...(upstreamPrefix === "" ? {} : { upstreamRepositoryPrefix: upstreamPrefix }),
      ...credentials(form),
    },
  };
}

/** Other credentials of a rule: the only thing of it that can be changed. */
export const updateRule = (prefix: string, form: Pick<RuleForm, "url" | "secret" | "role">): Change => ({
  service: "ecr",
  operation: "UpdatePullThroughCacheRule",
  input: { ecrRepositoryPrefix: prefix, ...credentials(form) },
});

export const deleteRule = (prefix: string): Change => ({
  service: "ecr",
  operation: "DeletePullThroughCacheRule",
  input: { ecrRepositoryPrefix: prefix },
});

/** What names of secrets begin with (ECR API Reference, CreatePullThroughCacheRule: `credentialArn`). */
export const SECRET_PREFIX = "ecr-pullthroughcache/";

export interface SecretForm {
  /** Without what all names begin with. */
  name: string;
  /** A user of the registry, or an access key of Amazon ECR or another Berth. */
  kind: "user" | "key";
  userName: string;
  accessToken: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** The role that the access key takes there; empty for none. */
  roleArn: string;
}

export const EMPTY_SECRET: SecretForm = {
  name: "",
  kind: "user",
  userName: "",
  accessToken: "",
  accessKeyId: "",
  secretAccessKey: "",
  roleArn: "",
};

/** Whether everything is there that the secret needs. */
export function isWhole({ kind, name, ...form }: SecretForm): boolean {
  const needed = kind === "user" ? [form.userName, form.accessToken] : [form.accessKeyId, form.secretAccessKey];
  return isSecretName(name.trim()) && needed.every((value) => value.trim() !== "");
}

export const isSecretName = (name: string): boolean => /^[A-Za-z0-9/_+=.@-]{1,200}$/.test(name);

/** Makes a secret as ECR wants it (ECR User Guide, "Storing your upstream repository credentials"), or with an access key. */
export const createSecret = ({ name, kind, ...form }: SecretForm): Change => ({
  service: "secretsmanager",
  operation: "CreateSecret",
  input: {
    Name: `${SECRET_PREFIX}${name.trim()}`,
    SecretString: JSON.stringify(
      kind === "user"
        ? { username: form.userName.trim(), accessToken: form.accessToken.trim() }
        : {
            accessKeyId: form.accessKeyId.trim(),
            secretAccessKey: form.secretAccessKey.trim(),
            ...(form.roleArn.trim() === "" ? {} : { roleArn: form.roleArn.trim() }),
          },
    ),
  },
  secrets: ["SecretString"],
});

/** A secret's name out of its ARN: without the six characters that Secrets Manager adds. */
export function secretName(arn: string): string {
  const name = arn.slice(arn.indexOf(":secret:") + ":secret:".length);
  return name.replace(/-[A-Za-z0-9]{6}$/, "");
}

/** The rule's prefix as part of a name: `team/` and `team` are the same, and `ROOT` is none. */
const part = (prefix: string | undefined): string =>
  prefix === undefined || prefix === "" || prefix === ROOT ? "" : `${prefix.replace(/\/$/, "")}/`;

/** What an image of the upstream is called here, and there. */
export function imageNames(
  rule: { ecrRepositoryPrefix?: string | undefined; upstreamRegistryUrl?: string | undefined; upstreamRepositoryPrefix?: string | undefined },
  image: string,
  host: string,
): { here: string; upstream: string } {
  const upstream = (rule.upstreamRegistryUrl ?? "").replace(/^http:\/\//, "");
  return {
    here: `${host}/${part(rule.ecrRepositoryPrefix)}${image}`,
    upstream: `${upstream}/${part(rule.upstreamRepositoryPrefix)}${image}`,
  };
}

export const pullCommand = (reference: string): string => `docker pull ${shellWord(reference)}`;
