import { expect, test } from "vitest";
import { lastDays } from "./days";

test("counts today as one of the last days, in UTC", () => {
  const now = new Date("2026-03-01T23:30:00Z");
  expect(lastDays(1, now)).toEqual({ startDate: "2026-03-01", endDate: "2026-03-01" });
  expect(lastDays(2, now)).toEqual({ startDate: "2026-02-28", endDate: "2026-03-01" });
  expect(lastDays(30, new Date("2026-03-01T00:00:00Z")).startDate).toBe("2026-01-31");
});
