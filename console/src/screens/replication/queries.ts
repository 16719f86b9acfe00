import { queryOptions } from "@tanstack/react-query";
import { getReplication, listBackfills, listPeers, listTagFilters } from "../../api/replication";
import { isRunning } from "../../lib/replication";

export const RULES = ["replication", "rules"];

export const rulesQuery = () => queryOptions({ queryKey: RULES, queryFn: getReplication });

export const BACKFILLS = ["replication", "backfills"];
export const PEERS = ["replication", "peers"];
export const TAG_FILTERS = ["replication", "tag-filters"];
/** How often backfills that run are asked for. */
const INTERVAL_MS = 2000;

export const backfillsQuery = (token: string | undefined) =>
  queryOptions({
    queryKey: [...BACKFILLS, "list", token],
    queryFn: () => listBackfills(token),
    refetchInterval: (query) =>
      query.state.data?.items.some(({ status }) => isRunning(status)) === true ? INTERVAL_MS : false,
  });

export const peersQuery = () => queryOptions({ queryKey: PEERS, queryFn: listPeers });

export const tagFiltersQuery = () => queryOptions({ queryKey: TAG_FILTERS, queryFn: listTagFilters });
