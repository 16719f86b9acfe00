import { isSecret, members, variable, words, type Change, type Json } from "./change";

/** One word of a POSIX shell, whatever it contains. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function option(name: string, value: Json): string {
  const flag = `--${words(name, "-")}`;
  if (typeof value === "boolean") return value ? flag : `--no-${words(name, "-")}`;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return `${flag} ${value.map(shellWord).join(" ")}`;
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // A value that starts with a dash would be read as an option.
  return text.startsWith("-") ? `${flag}=${shellWord(text)}` : `${flag} ${shellWord(text)}`;
}

/** The change as commands of the AWS CLI, one option a line. */
export function awsCli(changes: Change[], endpoint: string): string {
  const commands = changes.map((change) => {
    const options = members(change).map(([name, value]) =>
      isSecret(change, name) ? `--${words(name, "-")} "$${variable(name)}"` : option(name, value),
    );
    const start = `aws ${change.service} ${words(change.operation, "-")}`;
    return [start, ...options, `--endpoint-url ${shellWord(endpoint)}`].join(" \\\n  ");
  });
  return `${commands.join("\n\n")}\n`;
}
