/** Settings of a registry: its policy, account settings, scanning, exclusions, creation templates and read-only mode. */

import {
  DescribeRepositoryCreationTemplatesCommand,
  GetAccountSettingCommand,
  GetRegistryPolicyCommand,
  GetRegistryScanningConfigurationCommand,
  ListPullTimeUpdateExclusionsCommand,
  PutRegistryPolicyCommand,
  type RegistryScanningConfiguration,
  type RepositoryCreationTemplate,
} from "@aws-sdk/client-ecr";
import { berth } from "./berth";
import { ecr } from "./clients";
import type { Page } from "./ecr";

export type { RegistryScanningConfiguration, RepositoryCreationTemplate };

export interface ReadOnlyMode {
  enabled: boolean;
  reason?: string;
  /** Seconds since 1970, as JSON 1.1 writes them. */
  changedAt?: number;
  changedBy?: string;
}

/** Rows of a page. */
const PAGE_SIZE = 50;

export async function getAccountSetting(name: string): Promise<string> {
  return (await ecr().send(new GetAccountSettingCommand({ name }))).value ?? "";
}

/** The registry's policy; empty where it has none. */
export async function getRegistryPolicy(): Promise<string> {
  try {
    return (await ecr().send(new GetRegistryPolicyCommand({}))).policyText ?? "";
  } catch (error) {
    if (error instanceof Error && error.name === "RegistryPolicyNotFoundException") return "";
    throw error;
  }
}

export async function putRegistryPolicy(policyText: string): Promise<void> {
  await ecr().send(new PutRegistryPolicyCommand({ policyText }));
}

export async function getScanningConfiguration(): Promise<RegistryScanningConfiguration> {
  return (await ecr().send(new GetRegistryScanningConfigurationCommand({}))).scanningConfiguration ?? {};
}

export async function listExclusions(token: string | undefined): Promise<Page<string>> {
  const command = new ListPullTimeUpdateExclusionsCommand({ nextToken: token, maxResults: PAGE_SIZE });
  const answer = await ecr().send(command);
  return { items: answer.pullTimeUpdateExclusions ?? [], nextToken: answer.nextToken };
}

export async function listTemplates(token: string | undefined): Promise<Page<RepositoryCreationTemplate>> {
  const command = new DescribeRepositoryCreationTemplatesCommand({ nextToken: token, maxResults: PAGE_SIZE });
  const answer = await ecr().send(command);
  return { items: answer.repositoryCreationTemplates ?? [], nextToken: answer.nextToken };
}

/** A template, or `null` where there is none for the prefix. */
export async function getTemplate(prefix: string): Promise<RepositoryCreationTemplate | null> {
  const answer = await ecr().send(new DescribeRepositoryCreationTemplatesCommand({ prefixes: [prefix] }));
  return answer.repositoryCreationTemplates?.[0] ?? null;
}

/** The mode of a repository, or of the whole server. */
export async function getReadOnlyMode(repositoryName?: string): Promise<ReadOnlyMode> {
  const input = repositoryName === undefined ? {} : { repositoryName };
  return (await berth<{ readOnlyMode: ReadOnlyMode }>("GetReadOnlyMode", input)).readOnlyMode;
}
