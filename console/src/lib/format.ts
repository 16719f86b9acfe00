/** Numbers, times and digests as the console shows them. */

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size in binary units: `1.5 MiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ""}`;
}

/** A digest's algorithm and its first twelve digits, enough to tell images apart. */
export function shortDigest(digest: string): string {
  const at = digest.indexOf(":");
  return at < 0 ? digest.slice(0, 12) : digest.slice(0, at + 13);
}

export type TimeZone = "local" | "utc";

/** A time in the browser's time zone, or in UTC, which is said. */
export function formatTime(time: Date, zone: TimeZone): string {
  const style = { dateStyle: "medium", timeStyle: "short" } as const;
  return zone === "utc"
    ? `${time.toLocaleString(undefined, { ...style, timeZone: "UTC" })} UTC`
    : time.toLocaleString(undefined, style);
}

/** The parts of an ARN or a path, each with its separator: a line may end after each of them. */
export const breakable = (name: string): string[] => name.split(/(?<=[:/])/);

/** An ARN without what every ARN of this account begins with: `user/alice`, `repository/app`. Others stay whole. */
export function shortArn(arn: string, account: string): string {
  const parts = arn.split(":");
  return parts[0] === "arn" && parts[4] === account && parts.length > 5 ? parts.slice(5).join(":") : arn;
}

/** Whole hours, minutes and seconds of a number of seconds. */
export function splitDuration(seconds: number): { hours: number; minutes: number; seconds: number } {
  return { hours: Math.floor(seconds / 3600), minutes: Math.floor((seconds % 3600) / 60), seconds: seconds % 60 };
}
