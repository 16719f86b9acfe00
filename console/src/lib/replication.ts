/** A registry's replication as rules of a form and as its text: one document. */

import type { Change, Json } from "./commands/change";
import { parse } from "./trust/document";

export interface Destination {
  region: string;
  registryId: string;
}

export interface StoredRule {
  destinations: Destination[];
  repositoryFilters?: { filter: string; filterType: string }[];
  deleteReplication?: { enabled: boolean };
}

export interface ReplicationConfiguration {
  rules: StoredRule[];
}

export interface RuleForm {
  destinations: Destination[];
  /** Prefixes of repository names; none for all repositories. */
  filters: string[];
  /** Whether deletions are repeated too. */
  deletes: boolean;
}

/** Limits of ECR (ECR API Reference, ReplicationConfiguration and ReplicationRule; ECR User Guide, "Private image replication"). */
export const RULES_MAX = 10;
export const DESTINATIONS_MAX = 25;
const FILTERS_MAX = 100;
const FILTER = /^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*\/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$/;
/** Also of a peer, whose region need not be known here. */
const REGION = /^[0-9a-z-]{2,25}$/;
const ACCOUNT = /^[0-9]{12}$/;

type Object = Record<string, unknown>;

const isObject = (value: unknown): value is Object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const hasOnly = (value: Object, names: string[]) => Object.keys(value).every((name) => names.includes(name));

function readDestination(value: unknown): Destination | undefined {
  if (!isObject(value) || !hasOnly(value, ["region", "registryId"])) return undefined;
  const { region, registryId } = value;
  return typeof region === "string" && typeof registryId === "string" ? { region, registryId } : undefined;
}

function readFilter(value: unknown): string | undefined {
  if (!isObject(value) || !hasOnly(value, ["filter", "filterType"])) return undefined;
  const { filter, filterType } = value;
  return typeof filter === "string" && filterType === "PREFIX_MATCH" ? filter : undefined;
}

/** The rule of a form; `undefined` for one that says more than the form can show. */
function readRule(value: unknown): RuleForm | undefined {
  if (!isObject(value) || !hasOnly(value, ["destinations", "repositoryFilters", "deleteReplication"])) return undefined;
  const { destinations: places, repositoryFilters = [], deleteReplication = { enabled: false } } = value;
  if (!Array.isArray(places) || !Array.isArray(repositoryFilters)) return undefined;
  if (!isObject(deleteReplication) || typeof deleteReplication["enabled"] !== "boolean") return undefined;
  const destinations = places.map(readDestination);
  const filters = repositoryFilters.map(readFilter);
  const isWhole = destinations.every((one) => one !== undefined) && filters.every((one) => one !== undefined);
  return isWhole ? { destinations, filters, deletes: deleteReplication["enabled"] } : undefined;
}

const writeRule = ({ destinations, filters, deletes }: RuleForm): StoredRule => ({
  destinations,
  ...(filters.length === 0
    ? {}
    : { repositoryFilters: filters.map((filter) => ({ filter, filterType: "PREFIX_MATCH" })) }),
  ...(deletes ? { deleteReplication: { enabled: true } } : {}),
});

/** The rules of a text; `undefined` where the form cannot show all that it says. */
export function readRules(text: string): RuleForm[] | undefined {
  if (text.trim() === "") return [];
  const value: unknown = parse(text);
  if (!isObject(value) || !hasOnly(value, ["rules"]) || !Array.isArray(value["rules"])) return undefined;
  const rules = value["rules"].map(readRule);
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}

/** The text of the rules; empty for none. */
export const writeRules = (rules: readonly RuleForm[]): string =>
  rules.length === 0 ? "" : JSON.stringify({ rules: rules.map(writeRule) }, undefined, 2);

/** A new rule, which begins with a destination in the same account. */
export const newRule = (registryId: string): RuleForm => ({
  destinations: [{ region: "", registryId }],
  filters: [],
  deletes: false,
});

export type Problem =
  | "noDestination"
  | "region"
  | "account"
  | "filter"
  | "tooManyRules"
  | "tooManyDestinations"
  | "tooManyFilters";

/** What is wrong about a rule. Whether a destination is this registry itself, or a peer of the same name, the server knows. */
export function ruleProblem({ destinations, filters }: RuleForm): Problem | undefined {
  if (destinations.length === 0) return "noDestination";
  if (!destinations.every(({ region }) => REGION.test(region))) return "region";
  if (!destinations.every(({ registryId }) => ACCOUNT.test(registryId))) return "account";
  if (filters.length > FILTERS_MAX) return "tooManyFilters";
  return filters.every((filter) => filter.length >= 2 && filter.length <= 256 && FILTER.test(filter)) ? undefined : "filter";
}

/** What is wrong about all rules together. */
export function rulesProblem(rules: readonly RuleForm[]): Problem | undefined {
  if (rules.length > RULES_MAX) return "tooManyRules";
  const places = rules.flatMap(({ destinations }) => destinations.map((one) => `${one.registryId} ${one.region}`));
  return new Set(places).size > DESTINATIONS_MAX ? "tooManyDestinations" : undefined;
}

/** Whether a text can be sent: JSON with rules, or nothing. */
export const isConfiguration = (text: string): boolean => {
  if (text.trim() === "") return true;
  const value: unknown = parse(text);
  return isObject(value) && Array.isArray(value["rules"]);
};

/** The call that makes the replication what the text says; empty ends it. */
export const replicationChange = (text: string): Change => {
  const value: unknown = parse(text);
  return {
    service: "ecr",
    operation: "PutReplicationConfiguration",
    input: { replicationConfiguration: isObject(value) ? (value as Record<string, Json>) : { rules: [] } },
  };
};

/** The indicator of an image's status at a destination. */
export function statusType(status: string | undefined): "success" | "error" | "in-progress" {
  if (status === "COMPLETE") return "success";
  return status === "FAILED" ? "error" : "in-progress";
}

/** The destinations of a configuration, each once. */
export function destinationsOf(text: string): Destination[] {
  const found = new Map<string, Destination>();
  const value: unknown = parse(text);
  const rules = isObject(value) && Array.isArray(value["rules"]) ? value["rules"] : [];
  for (const rule of rules) {
    for (const one of isObject(rule) && Array.isArray(rule["destinations"]) ? rule["destinations"] : []) {
      const place = readDestination(one);
      if (place !== undefined) found.set(destinationText(place), place);
    }
  }
  return [...found.values()];
}

export const destinationText = ({ region, registryId }: Destination): string => `${registryId} ${region}`;

export const startBackfill = ({ region, registryId }: Destination): Change => ({
  service: "ecr",
  operation: "StartReplicationBackfill",
  input: { destination: { region, registryId } },
});

export const stopBackfill = (replicationBackfillId: string): Change => ({
  service: "ecr",
  operation: "StopReplicationBackfill",
  input: { replicationBackfillId },
});

const RUNNING: readonly (string | undefined)[] = ["PREPARING", "IN_PROGRESS", "STOPPING"];

export const isRunning = (status: string | undefined): boolean => RUNNING.includes(status);
export const mayStop = (status: string | undefined): boolean => isRunning(status) && status !== "STOPPING";

/** The indicator of a backfill's status. */
export function backfillType(status: string | undefined): "success" | "error" | "in-progress" | "stopped" {
  if (status === "STOPPED") return "stopped";
  return statusType(status);
}

export interface PeerForm extends Destination {
  endpoint: string;
  accessKeyId: string;
  /** Empty: the one that is stored stays. */
  secretAccessKey: string;
  certificateAuthority: string;
}

export const EMPTY_PEER: PeerForm = {
  region: "",
  registryId: "",
  endpoint: "",
  accessKeyId: "",
  secretAccessKey: "",
  certificateAuthority: "",
};

/** Members that are wrong. `stored` is the peer that is edited: with its key and URL, its secret may stay. */
export function peerProblems(form: PeerForm, stored: { endpoint: string; accessKeyId: string } | undefined): ReadonlySet<keyof PeerForm> {
  const keeps = stored?.endpoint === form.endpoint.trim() && stored.accessKeyId === form.accessKeyId.trim();
  const wrong: [keyof PeerForm, boolean][] = [
    ["region", !REGION.test(form.region.trim())],
    ["registryId", !ACCOUNT.test(form.registryId.trim())],
    ["endpoint", !/^https?:\/\/[^\s/@]+\/?$/.test(form.endpoint.trim())],
    ["accessKeyId", !/^\w{16,128}$/.test(form.accessKeyId.trim())],
    ["secretAccessKey", form.secretAccessKey.trim() === "" && !keeps],
  ];
  return new Set(wrong.flatMap(([member, isWrong]) => (isWrong ? [member] : [])));
}

export function putPeer(form: PeerForm): Change {
  const filled = (member: "secretAccessKey" | "certificateAuthority") =>
    form[member].trim() === "" ? {} : { [member]: form[member].trim() };
  return {
    service: "berth",
    operation: "PutReplicationPeer",
    input: {
      region: form.region.trim(),
      registryId: form.registryId.trim(),
      endpoint: form.endpoint.trim(),
      accessKeyId: form.accessKeyId.trim(),
      ...filled("secretAccessKey"),
      ...filled("certificateAuthority"),
    },
    secrets: ["secretAccessKey"],
  };
}

export const deletePeer = ({ region, registryId }: Destination): Change => ({
  service: "berth",
  operation: "DeleteReplicationPeer",
  input: { region, registryId },
});

/** The patterns of tags that go to a destination; none: all tags. */
export const putTagFilter = ({ region, registryId }: Destination, tagPatternList: string[]): Change => ({
  service: "berth",
  operation: "PutReplicationTagFilter",
  input: { region, registryId, tagPatternList },
});
