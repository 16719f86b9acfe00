/** The organization: its tree, accounts, and the policies that it imposes. */

import {
  DescribeCreateAccountStatusCommand,
  DescribeOrganizationCommand,
  DescribePolicyCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListPoliciesCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  type CreateAccountCommandOutput,
  type PolicyType,
} from "@aws-sdk/client-organizations";
import { organizations } from "./clients";

const token = (NextToken: string | undefined) => (NextToken === undefined ? {} : { NextToken });

export interface Node {
  id: string;
  name: string;
  kind: "root" | "unit" | "account";
  state?: string;
}

export interface NodePage {
  items: Node[];
  next?: string | undefined;
}

export const describeOrganization = async () =>
  (await organizations().send(new DescribeOrganizationCommand({}))).Organization;

export async function roots(): Promise<Node[]> {
  const answer = await organizations().send(new ListRootsCommand({}));
  return (answer.Roots ?? []).map((root) => ({ id: root.Id ?? "", name: root.Name ?? "", kind: "root" }));
}

export async function units(ParentId: string, next?: string): Promise<NodePage> {
  const answer = await organizations().send(new ListOrganizationalUnitsForParentCommand({ ParentId, ...token(next) }));
  const items = (answer.OrganizationalUnits ?? []).map(
    (unit): Node => ({ id: unit.Id ?? "", name: unit.Name ?? "", kind: "unit" }),
  );
  return { items, next: answer.NextToken };
}

export async function accounts(ParentId: string, next?: string): Promise<NodePage> {
  const answer = await organizations().send(new ListAccountsForParentCommand({ ParentId, ...token(next) }));
  const items = (answer.Accounts ?? []).map(
    (account): Node => ({
      id: account.Id ?? "",
      name: account.Name ?? "",
      kind: "account",
      ...(account.State === undefined ? {} : { state: account.State }),
    }),
  );
  return { items, next: answer.NextToken };
}

/** Units that a form offers. */
const UNITS_MAX = 1_000;

/** The root and the units below it, as many as a form offers. */
export async function parents(root: Node): Promise<Node[]> {
  const found = [root];
  for (let at = 0; at < found.length && found.length < UNITS_MAX; at += 1) {
    let next: string | undefined;
    do {
      const page = await units(found[at]?.id ?? "", next);
      found.push(...page.items);
      next = page.next;
    } while (next !== undefined && found.length < UNITS_MAX);
  }
  return found.slice(0, UNITS_MAX);
}

/** What an account or a unit is in. */
export async function parentOf(ChildId: string): Promise<string> {
  const answer = await organizations().send(new ListParentsCommand({ ChildId }));
  return answer.Parents?.[0]?.Id ?? "";
}

const STATUS_WAIT_MS = 1_000;
const STATUS_ATTEMPTS = 30;

/** Waits until an account is made; the operation itself only accepts the request. */
export async function createdAccount(answer: unknown): Promise<void> {
  let status = (answer as CreateAccountCommandOutput).CreateAccountStatus;
  for (let attempt = 0; status?.State === "IN_PROGRESS" && attempt < STATUS_ATTEMPTS; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, STATUS_WAIT_MS));
    const command = new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: status.Id });
    status = (await organizations().send(command)).CreateAccountStatus;
  }
  if (status?.State === "FAILED") throw new Error(`CreateAccount failed: ${status.FailureReason ?? ""}`);
}

export interface OrganizationPolicy {
  id: string;
  name: string;
  description: string;
  isManaged: boolean;
}

interface Summary {
  Id?: string | undefined;
  Name?: string | undefined;
  Description?: string | undefined;
  AwsManaged?: boolean | undefined;
}

const summary = (found: Summary): OrganizationPolicy => ({
  id: found.Id ?? "",
  name: found.Name ?? "",
  description: found.Description ?? "",
  isManaged: found.AwsManaged ?? false,
});

/** Policies are few: an organization has at most some thousands, and a form offers the first thousand. */
const PAGES_MAX = 50;

export async function policiesOfType(Filter: PolicyType): Promise<OrganizationPolicy[]> {
  const found: OrganizationPolicy[] = [];
  let next: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await organizations().send(new ListPoliciesCommand({ Filter, ...token(next) }));
    found.push(...(answer.Policies ?? []).map(summary));
    next = answer.NextToken;
    if (next === undefined) break;
  }
  return found;
}

export async function policiesOfTarget(TargetId: string, Filter: PolicyType): Promise<OrganizationPolicy[]> {
  const answer = await organizations().send(new ListPoliciesForTargetCommand({ TargetId, Filter }));
  return (answer.Policies ?? []).map(summary);
}

export async function policyContent(PolicyId: string): Promise<string> {
  const answer = await organizations().send(new DescribePolicyCommand({ PolicyId }));
  return answer.Policy?.Content ?? "";
}
