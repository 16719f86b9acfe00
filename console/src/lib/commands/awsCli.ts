import { documentText, isSecret, members, variable, words, type Change, type Json } from "./change";

/** Longer documents are written to a file first: a line of a shell that long is not read any more. */
const DOCUMENT_LENGTH_MAX = 1_500;

/**
 * The CLI replaces a value that begins so by what it reads there (AWS CLI User Guide, "Load a parameter from a
 * file"; version 1 also follows the addresses of the web). What a person wrote must stay what it is.
 */
const IS_READ_FROM_ELSEWHERE = /^(fileb?|https?):\/\//;

/** The CLI does not follow the address of this option. */
const IS_NEVER_FOLLOWED = new Set(["CreateOpenIDConnectProvider Url"]);

/** Options that the CLI has and the API has not (AWS CLI Command Reference, create-virtual-mfa-device). */
const MORE: Readonly<Record<string, string[]>> = {
  CreateVirtualMFADevice: ["--outfile qr-code.png", "--bootstrap-method QRCodePNG"],
};

const isPlain = (text: string): boolean => /^[\w@%+=:,./-]+$/.test(text);

const isPlainWord = (text: string): boolean => isPlain(text) && !text.startsWith("-");

/** One word of a POSIX shell, whatever it contains. */
export function shellWord(text: string): string {
  return isPlain(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function option(name: string, value: Json): string {
  const flag = `--${words(name, "-")}`;
  if (typeof value === "boolean") return value ? flag : `--no-${words(name, "-")}`;
  const plain = Array.isArray(value) ? value.filter((item) => typeof item === "string").filter(isPlainWord) : [];
  if (Array.isArray(value) && plain.length === value.length) return `${flag} ${plain.join(" ")}`;
  const text = documentText(value) ?? (typeof value === "string" ? value : JSON.stringify(value));
  // A value that starts with a dash would be read as an option.
  return text.startsWith("-") ? `${flag}=${shellWord(text)}` : `${flag} ${shellWord(text)}`;
}

/** A document that the shell writes to a file: a "here document" whose last line is none of its own. */
function fileOf(name: string, text: string, number: number): { name: string; lines: string } {
  const extension = text.startsWith("{") ? "json" : "xml";
  const file = `${words(name, "-")}${number === 0 ? "" : `-${number + 1}`}.${extension}`;
  const lines = text.split("\n");
  let end = "DOCUMENT";
  while (lines.includes(end)) end += "_";
  return { name: file, lines: `cat > ${file} <<'${end}'\n${text}\n${end}\n` };
}

function isFollowed(change: Change, name: string, value: Json): boolean {
  if (IS_NEVER_FOLLOWED.has(`${change.operation} ${name}`)) return false;
  const list = Array.isArray(value) ? value : [value];
  return list.some((item) => typeof item === "string" && IS_READ_FROM_ELSEWHERE.test(item));
}

function command(change: Change, endpoint: string, number: number): string {
  const set = members(change).filter(([name]) => !isSecret(change, name));
  const secret = members(change).filter(([name]) => isSecret(change, name));
  const files: string[] = [];
  let options: string[];
  if (set.some(([name, value]) => isFollowed(change, name, value))) {
    options = [`--cli-input-json ${shellWord(JSON.stringify(Object.fromEntries(set)))}`];
  } else {
    options = set.map(([name, value]) => {
      const text = documentText(value) ?? value;
      if (typeof text !== "string" || text.length <= DOCUMENT_LENGTH_MAX) return option(name, value);
      const file = fileOf(name, text, number);
      files.push(file.lines);
      return `--${words(name, "-")} file://${file.name}`;
    });
  }
  options.push(...secret.map(([name]) => `--${words(name, "-")} "$${variable(name)}"`));
  const lines = [
    `aws ${change.service} ${words(change.operation, "-")}`,
    ...options,
    ...(MORE[change.operation] ?? []),
    `--endpoint-url ${shellWord(endpoint)}`,
  ];
  return [...files, lines.join(" \\\n  ")].join("");
}

/** The change as commands of the AWS CLI, one option a line. */
export function awsCli(changes: Change[], endpoint: string): string {
  return `${changes.map((change, number) => command(change, endpoint, number)).join("\n\n")}\n`;
}
