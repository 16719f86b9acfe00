import { useQuery } from "@tanstack/react-query";
import { findings, type PolicyKind } from "../../api/policies";
import type { Finding } from "../../lib/policy/fixes";
import { useSettled } from "../useSettled";

/** The document is checked when nobody typed for this long. */
const SETTLE_MS = 500;

export interface Found {
  findings: Finding[];
  isChecking: boolean;
  error: unknown;
}

const NONE: Finding[] = [];

/** The findings of a document; those of its last version until it is checked again. */
export function useFindings(document: string, kind: PolicyKind): Found {
  const settled = useSettled(document, SETTLE_MS);
  const query = useQuery({
    queryKey: ["findings", kind, settled],
    queryFn: ({ signal }) => findings(settled, kind, signal),
    enabled: settled.trim() !== "",
    retry: false,
  });
  const isChecking = query.isFetching || settled !== document;
  // Places of another version would be marked in the wrong line.
  return { findings: settled === document ? (query.data ?? NONE) : NONE, isChecking, error: query.error };
}
