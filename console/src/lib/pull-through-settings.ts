/** What a rule of the pull through cache has beyond ECR: the form of its settings, and the calls that it makes. */

import type { Change, Json } from "./commands/change";
import { isRoleArn, isUpstreamHost, isRulePrefix } from "./pull-through";

/** A further upstream, as the server answers it. */
export interface Upstream {
  upstreamRegistryUrl: string;
  upstreamRepositoryPrefix: string;
  credentialArn?: string;
  customRoleArn?: string;
  certificateAuthority?: string;
  clientCertificate?: string;
  hasClientKey: boolean;
}

/** Settings of a rule, as the server answers them. */
export interface Settings {
  ecrRepositoryPrefix: string;
  tagFreshnessSeconds: number;
  platforms: string[];
  referrers: "ENABLED" | "DISABLED";
  certificateAuthority?: string;
  clientCertificate?: string;
  hasClientKey: boolean;
  upstreams: Upstream[];
  /** Absent where the settings are the defaults. */
  updatedAt?: number;
}

export interface UpstreamForm {
  url: string;
  /** Empty for the rule's. */
  prefix: string;
  /** The ARN of a secret; empty for none. */
  secret: string;
  /** The ARN of a role; empty for none. */
  role: string;
  authority: string;
  /** The upstream as it is: its client certificate, which commands set, stays as long as its address does. */
  before?: Upstream;
}

export interface SettingsForm {
  freshness: string;
  platforms: string[];
  hasReferrers: boolean;
  authority: string;
  certificate: string;
  /** Empty to keep the key of the same certificate. */
  key: string;
  upstreams: UpstreamForm[];
}

/** The server's bounds (reference "berth service", PutPullThroughCacheSettings). */
export const UPSTREAMS_MAX = 5;
const FRESHNESS_MAX = 2_592_000;
const PLATFORMS_MAX = 16;
const UPSTREAM_PREFIX_MAX = 200;

export const EMPTY_UPSTREAM: UpstreamForm = { url: "", prefix: "", secret: "", role: "", authority: "" };

export const formOf = (settings: Settings): SettingsForm => ({
  freshness: String(settings.tagFreshnessSeconds),
  platforms: settings.platforms,
  hasReferrers: settings.referrers === "ENABLED",
  authority: settings.certificateAuthority ?? "",
  certificate: settings.clientCertificate ?? "",
  key: "",
  upstreams: settings.upstreams.map((upstream) => ({
    url: upstream.upstreamRegistryUrl,
    prefix: upstream.upstreamRepositoryPrefix,
    secret: upstream.credentialArn ?? "",
    role: upstream.customRoleArn ?? "",
    authority: upstream.certificateAuthority ?? "",
    before: upstream,
  })),
});

export type UpstreamProblem = "url" | "prefix" | "credentials";

export function upstreamProblems({ url, prefix, secret, role }: UpstreamForm): ReadonlySet<UpstreamProblem> {
  const wrong: [UpstreamProblem, boolean][] = [
    ["url", !isUpstreamHost(url.trim())],
    ["prefix", prefix.trim() !== "" && !isRulePrefix(prefix.trim(), UPSTREAM_PREFIX_MAX)],
    ["credentials", role.trim() !== "" && (secret !== "" || !isRoleArn(role.trim()))],
  ];
  return new Set(wrong.flatMap(([member, isWrong]) => (isWrong ? [member] : [])));
}

const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/;

export type SettingsProblem = "freshness" | "platforms" | "key" | "upstreams";

/** What is wrong; `before` says whether a key is kept. */
export function settingsProblems(form: SettingsForm, before: Settings): ReadonlySet<SettingsProblem> {
  const freshness = form.freshness.trim();
  const certificate = form.certificate.trim();
  const keepsKey = before.hasClientKey && certificate === (before.clientCertificate ?? "").trim();
  const wrong: [SettingsProblem, boolean][] = [
    ["freshness", !/^[0-9]{1,7}$/.test(freshness) || Number(freshness) > FRESHNESS_MAX],
    ["platforms", form.platforms.length > PLATFORMS_MAX || !form.platforms.every((platform) => PLATFORM.test(platform))],
    ["key", certificate === "" ? form.key.trim() !== "" : form.key.trim() === "" && !keepsKey],
    ["upstreams", form.upstreams.some((upstream) => upstreamProblems(upstream).size > 0)],
  ];
  return new Set(wrong.flatMap(([member, isWrong]) => (isWrong ? [member] : [])));
}

/** A member with text in it. */
const given = (name: string, value: string): Record<string, Json> => (value.trim() === "" ? {} : { [name]: value.trim() });

/** A certificate as it was, to the byte: the server keeps the key of the same certificate only. */
const certificateOf = (value: string, before: string | undefined): Record<string, Json> =>
  before !== undefined && value.trim() === before.trim() ? { clientCertificate: before } : given("clientCertificate", value);

function upstreamInput(form: UpstreamForm): Record<string, Json> {
  const url = form.url.trim();
  const kept = form.before?.upstreamRegistryUrl === url ? form.before.clientCertificate : undefined;
  return {
    upstreamRegistryUrl: url,
    ...given("upstreamRepositoryPrefix", form.prefix),
    ...given("credentialArn", form.secret),
    ...given("customRoleArn", form.role),
    ...given("certificateAuthority", form.authority),
    ...(kept === undefined ? {} : { clientCertificate: kept }),
  };
}

/** All settings of a rule at once: what is not sent gets its default. */
export const putSettings = (form: SettingsForm, before: Settings): Change => ({
  service: "berth",
  operation: "PutPullThroughCacheSettings",
  input: {
    ecrRepositoryPrefix: before.ecrRepositoryPrefix,
    tagFreshnessSeconds: Number(form.freshness.trim()),
    platforms: form.platforms,
    referrers: form.hasReferrers ? "ENABLED" : "DISABLED",
    ...given("certificateAuthority", form.authority),
    ...certificateOf(form.certificate, before.clientCertificate),
    ...given("clientKey", form.key),
    upstreams: form.upstreams.map(upstreamInput),
  },
});

export const resetSettings = (prefix: string): Change => ({
  service: "berth",
  operation: "DeletePullThroughCacheSettings",
  input: { ecrRepositoryPrefix: prefix },
});
