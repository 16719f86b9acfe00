import { useQuery } from "@tanstack/react-query";
import { getReadOnlyMode } from "../../api/registry";
import { ReadOnlyPanel } from "../../parts/ReadOnlyPanel";
import { READ_ONLY } from "./keys";

/** Whether the server refuses writes. */
export function ReadOnly() {
  const query = useQuery({ queryKey: READ_ONLY, queryFn: () => getReadOnlyMode() });
  return <ReadOnlyPanel query={query} stale={[READ_ONLY]} />;
}
