/** What the search of the top bar asks: the first page of each list, so that a search costs a bounded number of calls. */

import { ListPoliciesCommand, ListRolesCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { findInPages } from "../lib/find-pages";
import { iam } from "./clients";
import { listRepositories } from "./ecr";

export interface Named {
  name: string;
  arn: string;
}

/** The largest page of IAM's lists (IAM API Reference, ListUsers). */
const NAMES_MAX = 1000;
/** Repositories that a search offers. */
const REPOSITORIES_MAX = 10;

const named = (items: [string | undefined, string | undefined][]): Named[] =>
  items.flatMap(([name, arn]) => (name === undefined || arn === undefined ? [] : [{ name, arn }]));

export async function userNames(): Promise<Named[]> {
  const { Users = [] } = await iam().send(new ListUsersCommand({ MaxItems: NAMES_MAX }));
  return named(Users.map(({ UserName, Arn }) => [UserName, Arn]));
}

export async function roleNames(): Promise<Named[]> {
  const { Roles = [] } = await iam().send(new ListRolesCommand({ MaxItems: NAMES_MAX }));
  return named(Roles.map(({ RoleName, Arn }) => [RoleName, Arn]));
}

export async function policyNames(): Promise<Named[]> {
  const { Policies = [] } = await iam().send(new ListPoliciesCommand({ MaxItems: NAMES_MAX }));
  return named(Policies.map(({ PolicyName, Arn }) => [PolicyName, Arn]));
}

export async function repositoryNames(text: string): Promise<string[]> {
  const found = await findInPages(
    listRepositories,
    ({ repositoryName }) => repositoryName?.includes(text) ?? false,
    undefined,
    REPOSITORIES_MAX,
  );
  return found.items.slice(0, REPOSITORIES_MAX).flatMap(({ repositoryName }) => repositoryName ?? []);
}
