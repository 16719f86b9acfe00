import { queryOptions } from "@tanstack/react-query";
import { getRule, getSettings, listRules } from "../../api/pull-through";
import { listSecrets } from "../../api/secrets";

/** The key of everything that is known of rules. */
export const RULES = ["pull-through", "rules"];
export const SECRETS = ["pull-through", "secrets"];

export const rulesQuery = (token: string | undefined) =>
  queryOptions({ queryKey: [...RULES, "list", token], queryFn: () => listRules(token) });

export const ruleQuery = (prefix: string) =>
  queryOptions({ queryKey: [...RULES, "one", prefix], queryFn: () => getRule(prefix) });

export const SETTINGS = ["pull-through", "settings"];

export const settingsQuery = (prefix: string) =>
  queryOptions({ queryKey: [...SETTINGS, prefix], queryFn: () => getSettings(prefix) });

export const secretsQuery = () => queryOptions({ queryKey: SECRETS, queryFn: listSecrets });

/** A rule's page. */
export const rulePath = (prefix: string): string => `/pull-through/${encodeURIComponent(prefix)}`;
