/** The form of a registry's scanning configuration: filters by frequency. */

import type { Change } from "./commands/change";

export const SCAN_TYPES = ["BASIC", "ENHANCED"] as const;
export type ScanType = (typeof SCAN_TYPES)[number];
export type Frequency = "SCAN_ON_PUSH" | "CONTINUOUS_SCAN";

export interface ScanningForm {
  type: ScanType;
  filters: Record<Frequency, string[]>;
}

/** Frequencies of a scan type (ECR API Reference, PutRegistryScanningConfiguration). */
export const frequenciesOf = (type: ScanType): readonly Frequency[] =>
  type === "BASIC" ? ["SCAN_ON_PUSH"] : ["SCAN_ON_PUSH", "CONTINUOUS_SCAN"];

interface Stored {
  scanType?: string | undefined;
  rules?:
    | { scanFrequency?: string | undefined; repositoryFilters?: { filter?: string | undefined }[] | undefined }[]
    | undefined;
}

export function scanningForm({ scanType, rules = [] }: Stored): ScanningForm {
  const of = (frequency: Frequency) =>
    rules
      .filter(({ scanFrequency }) => scanFrequency === frequency)
      .flatMap(({ repositoryFilters = [] }) => repositoryFilters.flatMap(({ filter }) => filter ?? []));
  return {
    type: scanType === "ENHANCED" ? "ENHANCED" : "BASIC",
    filters: { SCAN_ON_PUSH: of("SCAN_ON_PUSH"), CONTINUOUS_SCAN: of("CONTINUOUS_SCAN") },
  };
}

/** The call that makes the configuration what the form says: a frequency without filters has no rule. */
export const scanningChange = ({ type, filters }: ScanningForm): Change => ({
  service: "ecr",
  operation: "PutRegistryScanningConfiguration",
  input: {
    scanType: type,
    rules: frequenciesOf(type)
      .filter((frequency) => filters[frequency].length > 0)
      .map((frequency) => ({
        scanFrequency: frequency,
        repositoryFilters: filters[frequency].map((filter) => ({ filter, filterType: "WILDCARD" })),
      })),
  },
});
