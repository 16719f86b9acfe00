import { expect, test } from "vitest";
import { scanningChange, scanningForm } from "./scanning-form";

const RULES = [
  { scanFrequency: "CONTINUOUS_SCAN", repositoryFilters: [{ filter: "prod" }] },
  { scanFrequency: "SCAN_ON_PUSH", repositoryFilters: [{ filter: "dev*" }, { filter: "test" }] },
];

test("shows filters by frequency and writes them back", () => {
  const form = scanningForm({ scanType: "ENHANCED", rules: RULES });
  expect(form.filters).toEqual({ SCAN_ON_PUSH: ["dev*", "test"], CONTINUOUS_SCAN: ["prod"] });
  expect(scanningForm(scanningChange(form).input)).toEqual(form);
});

test("basic scanning has no continuous rule, and a frequency without filters has none", () => {
  const form = scanningForm({ scanType: "BASIC", rules: RULES });
  expect(scanningChange(form).input["rules"]).toHaveLength(1);
  expect(scanningChange(scanningForm({})).input).toEqual({ scanType: "BASIC", rules: [] });
});
