import { documentText, isSecret, members, variable, words, type Change, type Json } from "./change";

/** A literal of Python. JSON's strings are strings of Python, once escapes of lone surrogates stay escapes. */
export function python(value: Json, indent = 0): string {
  const inner = " ".repeat(indent + 4);
  const outer = " ".repeat(indent);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string" || typeof value === "number") return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object")) return `[${value.map((item) => python(item)).join(", ")}]`;
    return `[\n${value.map((item) => `${inner}${python(item, indent + 4)},\n`).join("")}${outer}]`;
  }
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}: ${python(item, indent)}`).join(", ")}}`;
}

/**
 * A value of an argument. A document keeps its lines in a raw string: JSON has no three quotes in a row, and escapes a
 * quote as raw strings do.
 */
function argument(value: Json): string {
  const text = documentText(value);
  return text === undefined ? python(value, 4) : `r"""${text}"""`;
}

/** The change as a program with boto3. */
export function boto3(changes: Change[], endpoint: string): string {
  const hasSecret = changes.some((change) => members(change).some(([name]) => isSecret(change, name)));
  const services = [...new Set(changes.map((change) => change.service))];
  const variableOf = (service: string) => service.replaceAll("-", "_");
  const lines = [
    ...(hasSecret ? ["import os", ""] : []),
    "import boto3",
    "",
    ...services.map((service) => `${variableOf(service)} = boto3.client("${service}", endpoint_url=${python(endpoint)})`),
  ];
  for (const change of changes) {
    const parts = members(change).map(([name, value]) => {
      const text = isSecret(change, name) ? `os.environ["${variable(name)}"]` : argument(value);
      return `    ${name}=${text},\n`;
    });
    const call = `${variableOf(change.service)}.${words(change.operation, "_")}`;
    lines.push(parts.length === 0 ? `${call}()` : `${call}(\n${parts.join("")})`);
  }
  return `${lines.join("\n")}\n`;
}
