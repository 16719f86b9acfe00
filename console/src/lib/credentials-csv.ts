// The file that a person downloads when a secret is shown, with the column names of AWS's console:
// `aws configure import --csv` reads it (AWS CLI Command Reference, "configure import").

export interface NewCredentials {
  readonly userName: string;
  readonly password?: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
  readonly signInUrl?: string | undefined;
}

const COLUMNS = [
  "User name",
  "Password",
  "Access key ID",
  "Secret access key",
  "Console sign-in URL",
] as const;

/** Quotes as RFC 4180 does. */
function field(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

export function credentialsCsv(rows: readonly NewCredentials[]): string {
  const lines = rows.map((row) =>
    [row.userName, row.password, row.accessKeyId, row.secretAccessKey, row.signInUrl]
      .map((value) => field(value ?? ""))
      .join(","),
  );
  return [COLUMNS.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

/** The name of the file: the user's, reduced to characters that every file system takes. */
export function credentialsFileName(userName: string): string {
  return `${userName.replaceAll(/[^A-Za-z0-9_.-]/g, "_")}_credentials.csv`;
}
