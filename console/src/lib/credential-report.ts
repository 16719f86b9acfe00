/** IAM's credential report (IAM User Guide, "Generate credential reports"): a table in CSV. */

export interface UnusedKey {
  user: string;
  /** The first or the second key: the report does not name it. */
  number: 1 | 2;
  /** When it was made or last changed. */
  since: Date | undefined;
}

/** One line's fields; a field in quotation marks may hold commas. */
function fields(line: string): string[] {
  const found = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return [...found].map((match) => match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
}

/** Active keys without a last use. */
export function credentialReport(csv: string): UnusedKey[] {
  const [head = "", ...lines] = csv.split(/\r?\n/).filter((line) => line !== "");
  const names = fields(head);
  return lines.flatMap((line) => {
    const values = fields(line);
    const value = (name: string) => values[names.indexOf(name)] ?? "";
    return ([1, 2] as const).flatMap((number): UnusedKey[] => {
      const isActive = value(`access_key_${number}_active`) === "true";
      // A date, where it was used.
      const wasUsed = /^\d/.test(value(`access_key_${number}_last_used_date`));
      if (!isActive || wasUsed) return [];
      const since = new Date(value(`access_key_${number}_last_rotated`));
      return [{ user: value("user"), number, since: Number.isNaN(since.getTime()) ? undefined : since }];
    });
  });
}
