/** Rules of the pull through cache. */

import {
  DescribePullThroughCacheRulesCommand,
  ValidatePullThroughCacheRuleCommand,
  type PullThroughCacheRule,
} from "@aws-sdk/client-ecr";
import type { Settings } from "../lib/pull-through-settings";
import { berth } from "./berth";
import { ecr } from "./clients";
import type { Page } from "./ecr";

export type { PullThroughCacheRule };

/** What the upstream answered to the rule's credentials. */
export interface Validity {
  isValid: boolean;
  failure: string | undefined;
}

/** Rows of a page. */
const PAGE_SIZE = 50;

export async function listRules(token: string | undefined): Promise<Page<PullThroughCacheRule>> {
  const command = new DescribePullThroughCacheRulesCommand({ nextToken: token, maxResults: PAGE_SIZE });
  const answer = await ecr().send(command);
  return { items: answer.pullThroughCacheRules ?? [], nextToken: answer.nextToken };
}

/** A rule, or `null` where there is none for the prefix. */
export async function getRule(prefix: string): Promise<PullThroughCacheRule | null> {
  try {
    const command = new DescribePullThroughCacheRulesCommand({ ecrRepositoryPrefixes: [prefix] });
    return (await ecr().send(command)).pullThroughCacheRules?.[0] ?? null;
  } catch (error) {
    if (error instanceof Error && error.name === "PullThroughCacheRuleNotFoundException") return null;
    throw error;
  }
}

/** Calls the upstream with the rule's credentials. */
export async function validateRule(prefix: string): Promise<Validity> {
  const answer = await ecr().send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: prefix }));
  return { isValid: answer.isValid === true, failure: answer.failure };
}

/** What a rule has beyond ECR; the defaults where nothing was set. */
export async function getSettings(prefix: string): Promise<Settings | null> {
  const input = { ecrRepositoryPrefixes: [prefix] };
  const { settings } = await berth<{ settings: Settings[] }>("DescribePullThroughCacheSettings", input);
  return settings[0] ?? null;
}
