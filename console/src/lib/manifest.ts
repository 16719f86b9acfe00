/** Reads manifests. They were pushed by strangers: each member may be missing or of another type. */

export interface Descriptor {
  digest: string;
  mediaType: string;
  size: number;
  platform: string | undefined;
  artifactType: string | undefined;
  annotations: [string, string][];
}

export interface Manifest {
  mediaType: string;
  artifactType: string | undefined;
  config: Descriptor | undefined;
  layers: Descriptor[];
  /** The manifests of an index. */
  children: Descriptor[];
  annotations: [string, string][];
  subject: string | undefined;
}

type Members = Record<string, unknown>;

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function annotations(value: unknown): [string, string][] {
  if (!isMembers(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
}

/** `linux/arm64/v8`; nothing for what has none, as attestations in an index of BuildKit. */
function platform(value: unknown): string | undefined {
  if (!isMembers(value)) return undefined;
  const parts = [value["os"], value["architecture"], value["variant"]].map(text);
  if (parts[0] === undefined || parts[0] === "unknown") return undefined;
  return parts.filter((part) => part !== undefined).join("/");
}

function descriptor(value: unknown): Descriptor | undefined {
  if (!isMembers(value)) return undefined;
  const digest = text(value["digest"]) ?? text(value["blobSum"]);
  if (digest === undefined) return undefined;
  return {
    digest,
    mediaType: text(value["mediaType"]) ?? "",
    size: typeof value["size"] === "number" ? value["size"] : 0,
    platform: platform(value["platform"]),
    artifactType: text(value["artifactType"]),
    annotations: annotations(value["annotations"]),
  };
}

const descriptors = (value: unknown): Descriptor[] => list(value).flatMap((item) => descriptor(item) ?? []);

/** The manifest, or `undefined` for what is none. */
export function readManifest(json: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isMembers(value)) return undefined;
  return {
    mediaType: text(value["mediaType"]) ?? "",
    artifactType: text(value["artifactType"]),
    config: descriptor(value["config"]),
    // The first version of docker's schema names its layers so, the newest first.
    layers: Array.isArray(value["fsLayers"])
      ? descriptors(value["fsLayers"]).reverse()
      : descriptors(value["layers"] ?? value["blobs"]),
    children: descriptors(value["manifests"]),
    annotations: annotations(value["annotations"]),
    subject: descriptor(value["subject"])?.digest,
  };
}

export type ArtifactKind =
  | "image"
  | "index"
  | "helm"
  | "signature"
  | "sbom"
  | "attestation"
  | "wasm"
  | "model"
  | "artifact";

const KINDS: [RegExp, ArtifactKind][] = [
  [/helm\.config|helm\.chart/, "helm"],
  [/cosign\.artifact\.sig|notary\.signature|simplesigning|sigstore\.bundle/, "signature"],
  [/spdx|cyclonedx|syft|cosign\.artifact\.sbom/, "sbom"],
  [/in-toto|slsa|attestation|dsse/, "attestation"],
  [/wasm/, "wasm"],
  [/cncf\.model|modelpack|kitops|ollama/, "model"],
  [/container\.image\.v1|oci\.image\.config/, "image"],
];

/** What an artifact is, by the media types that it names. */
export function artifactKind(manifestType: string | undefined, artifactType: string | undefined): ArtifactKind {
  if (/manifest\.list|image\.index/.test(manifestType ?? "")) return "index";
  if (artifactType === undefined || artifactType === "") return "image";
  return KINDS.find(([pattern]) => pattern.test(artifactType))?.[1] ?? "artifact";
}

export interface HistoryStep {
  command: string;
  created: string | undefined;
  isEmpty: boolean;
}

export interface ImageConfiguration {
  platform: string | undefined;
  created: string | undefined;
  entries: [string, string][];
  history: HistoryStep[];
}

/** An image's configuration (OCI image specification, config.md), or `undefined` for what is none. */
export function readConfiguration(json: string): ImageConfiguration | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isMembers(value)) return undefined;
  const config = isMembers(value["config"]) ? value["config"] : {};
  const shown = (item: unknown): string =>
    Array.isArray(item) ? item.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" ") : "";
  const entries: [string, string][] = [
    ["Entrypoint", shown(config["Entrypoint"])],
    ["Cmd", shown(config["Cmd"])],
    ["User", text(config["User"]) ?? ""],
    ["WorkingDir", text(config["WorkingDir"]) ?? ""],
    ["ExposedPorts", isMembers(config["ExposedPorts"]) ? Object.keys(config["ExposedPorts"]).join(", ") : ""],
    ...list(config["Env"]).flatMap((item): [string, string][] => (typeof item === "string" ? [["Env", item]] : [])),
    ...annotations(config["Labels"]).map(([key, item]): [string, string] => [`Label ${key}`, item]),
  ];
  return {
    platform: platform(value),
    created: text(value["created"]),
    entries: entries.filter(([, item]) => item !== ""),
    history: list(value["history"]).flatMap((step): HistoryStep[] =>
      isMembers(step)
        ? [
            {
              command: text(step["created_by"]) ?? text(step["comment"]) ?? "",
              created: text(step["created"]),
              isEmpty: step["empty_layer"] === true,
            },
          ]
        : [],
    ),
  };
}
