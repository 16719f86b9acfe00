import type { Json } from "./change";

/** A block of Terraform's language. */
export interface TerraformBlock {
  /** The block's type and labels, such as `["resource", "aws_ecr_repository", "app"]`. */
  head: string[];
  attributes: Record<string, Json | Raw | undefined>;
  blocks?: TerraformBlock[];
}

/** An expression that stands as it is, such as a reference. Never made of what a person wrote. */
export interface Raw {
  raw: string;
}

const isRaw = (value: Json | Raw): value is Raw => typeof value === "object" && value !== null && "raw" in value;

/** A quoted string: without templates, whatever it contains. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("${", () => "$${").replaceAll("%{", () => "%%{");
}

/** A name that Terraform accepts as a label. */
export function label(name: string): string {
  const text = name.replace(/[^A-Za-z0-9_-]+/g, "_");
  return /^[A-Za-z_]/.test(text) ? text : `_${text}`;
}

function expression(value: Json | Raw, indent: string): string {
  if (value === null) return "null";
  if (typeof value === "string") {
    // Documents are read more easily as documents.
    return /^\s*\{/.test(value) && isDocument(value) ? heredoc(value, indent) : quoted(value);
  }
  if (typeof value !== "object") return String(value);
  if (isRaw(value)) return value.raw;
  if (Array.isArray(value)) return `[${value.map((item) => expression(item, indent)).join(", ")}]`;
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  const lines = entries.map(([name, item]) => `${indent}  ${quoted(name)} = ${expression(item, `${indent}  `)}\n`);
  return lines.length === 0 ? "{}" : `{\n${lines.join("")}${indent}}`;
}

function isDocument(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function heredoc(document: string, indent: string): string {
  const text = JSON.stringify(JSON.parse(document), undefined, 2).replaceAll("${", () => "$${").replaceAll("%{", () => "%%{");
  return `<<-JSON\n${text.replace(/^/gm, `${indent}  `)}\n${indent}JSON`;
}

function block({ head, attributes, blocks = [] }: TerraformBlock, indent: string): string {
  const [type = "", ...labels] = head;
  const set = Object.entries(attributes).filter((entry): entry is [string, Json | Raw] => entry[1] !== undefined);
  const width = Math.max(0, ...set.map(([name]) => name.length));
  const lines = set.map(([name, value]) => `${indent}  ${name.padEnd(width)} = ${expression(value, `${indent}  `)}\n`);
  const inner = blocks.map((child) => `\n${block(child, `${indent}  `)}`);
  return `${indent}${[type, ...labels.map(quoted)].join(" ")} {\n${lines.join("")}${inner.join("")}${indent}}\n`;
}

/** Blocks of Terraform's language, as `terraform fmt` writes them. */
export function terraform(blocks: TerraformBlock[]): string {
  return blocks.map((each) => block(each, "")).join("\n");
}
