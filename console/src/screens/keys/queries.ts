import { queryOptions } from "@tanstack/react-query";
import { describeKey, getKeyPolicy, getRotation, keyUsers, listAliases, listKeys, listKeyTags } from "../../api/kms";

/** The key of everything that is known of keys. */
export const KEYS = ["kms"];
/** Repositories are looked through again after this. */
const USERS_STALE_MS = 60_000;

const keyKey = (id: string) => [...KEYS, "one", id];

export const keysQuery = (marker: string | undefined) =>
  queryOptions({ queryKey: [...KEYS, "list", marker], queryFn: () => listKeys(marker) });
export const aliasesQuery = () => queryOptions({ queryKey: [...KEYS, "aliases"], queryFn: () => listAliases() });
export const keyQuery = (id: string) => queryOptions({ queryKey: keyKey(id), queryFn: () => describeKey(id) });
export const keyAliasesQuery = (id: string) =>
  queryOptions({
    queryKey: [...keyKey(id), "aliases"],
    queryFn: async () => [...(await listAliases(id)).values()].flat().map((name) => ({ name })),
  });
export const rotationQuery = (id: string) =>
  queryOptions({ queryKey: [...keyKey(id), "rotation"], queryFn: () => getRotation(id) });
export const tagsQuery = (id: string) => queryOptions({ queryKey: [...keyKey(id), "tags"], queryFn: () => listKeyTags(id) });
export const policyQuery = (id: string) =>
  queryOptions({ queryKey: [...keyKey(id), "policy"], queryFn: () => getKeyPolicy(id) });
export const usersQuery = () =>
  queryOptions({ queryKey: ["repositories", "by-key"], queryFn: keyUsers, staleTime: USERS_STALE_MS });

export const keyPath = (id: string): string => `/keys/${encodeURIComponent(id)}`;
