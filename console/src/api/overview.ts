/** What the home page asks, each with a bounded number of calls. */

import { DescribeImagesCommand, DescribeRepositoriesCommand } from "@aws-sdk/client-ecr";
import {
  GenerateCredentialReportCommand,
  GetAccountAuthorizationDetailsCommand,
  GetCredentialReportCommand,
} from "@aws-sdk/client-iam";
import { credentialReport, type UnusedKey } from "../lib/credential-report";
import { lastTimes, type RepositoryUse } from "../lib/repository-use";
import { berth } from "./berth";
import { ecr, iam } from "./clients";

/** Repositories on the home page; each costs one call. */
const REPOSITORIES_MAX = 8;
/** Images that are looked at for a repository's last push and pull. */
const IMAGES_MAX = 100;
/** Users and roles that are looked at. */
const PRINCIPALS_MAX = 100;
const DENIALS_MAX = 100;
const REPORT_ATTEMPTS = 5;
const REPORT_WAIT_MS = 1_000;

/** The first repositories with their last push and pull. */
export async function repositoryUse(): Promise<{ items: RepositoryUse[]; hasMore: boolean }> {
  const answer = await ecr().send(new DescribeRepositoriesCommand({ maxResults: REPOSITORIES_MAX }));
  const names = (answer.repositories ?? []).flatMap(({ repositoryName }) => repositoryName ?? []);
  const items = await Promise.all(
    names.map(async (name) => {
      const images = await ecr().send(new DescribeImagesCommand({ repositoryName: name, maxResults: IMAGES_MAX }));
      return lastTimes(name, images.imageDetails ?? [], images.nextToken !== undefined);
    }),
  );
  return { items, hasMore: answer.nextToken !== undefined };
}

export interface Principals {
  users: number;
  roles: number;
  /** Whether any user or role has a policy. */
  hasPolicy: boolean;
  unusedRoles: string[];
  /** Whether there are more than were looked at. */
  hasMore: boolean;
}

/** The account's users and roles, as far as one page goes. */
export async function principals(): Promise<Principals> {
  const answer = await iam().send(
    new GetAccountAuthorizationDetailsCommand({ Filter: ["User", "Role"], MaxItems: PRINCIPALS_MAX }),
  );
  const users = answer.UserDetailList ?? [];
  const roles = answer.RoleDetailList ?? [];
  const isGiven = (list: unknown[] | undefined) => (list?.length ?? 0) > 0;
  return {
    users: users.length,
    roles: roles.length,
    hasPolicy:
      users.some((user) => isGiven(user.AttachedManagedPolicies) || isGiven(user.UserPolicyList) || isGiven(user.GroupList)) ||
      roles.some((role) => isGiven(role.AttachedManagedPolicies) || isGiven(role.RolePolicyList)),
    unusedRoles: roles.flatMap((role) => (role.RoleLastUsed?.LastUsedDate === undefined ? (role.RoleName ?? []) : [])),
    hasMore: answer.IsTruncated === true,
  };
}

/** Active access keys that were never used, from the credential report. */
export async function unusedKeys(): Promise<UnusedKey[]> {
  for (let attempt = 0; attempt < REPORT_ATTEMPTS; attempt += 1) {
    const { State } = await iam().send(new GenerateCredentialReportCommand({}));
    if (State === "COMPLETE") break;
    await new Promise((resolve) => setTimeout(resolve, REPORT_WAIT_MS));
  }
  const { Content } = await iam().send(new GetCredentialReportCommand({}));
  return credentialReport(new TextDecoder().decode(Content));
}

export interface Denial {
  requestId: string;
  requestTime: number;
  principalArn: string;
  action: string;
  resourceArn: string;
}

/** The latest denials. */
export async function latestDenials(): Promise<Denial[]> {
  return (await berth<{ denials?: Denial[] }>("ListDenials", { maxResults: DENIALS_MAX })).denials ?? [];
}
