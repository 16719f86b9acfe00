/** Days in UTC, as the `berth` service takes them. */

const DAY_MS = 86_400_000;

/** `2026-11-27`. */
const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** The last `count` days, today included. */
export function lastDays(count: number, now: Date): { startDate: string; endDate: string } {
  return { startDate: dayOf(new Date(now.getTime() - (count - 1) * DAY_MS)), endDate: dayOf(now) };
}
