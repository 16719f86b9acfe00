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

/** A time in the browser's time zone. */
export const formatTime = (time: Date): string =>
  time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
