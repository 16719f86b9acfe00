/** The organization: its tree, accounts, and the policies that it imposes. */

import {
  AttachPolicyCommand,
  CreateOrganizationCommand,
  CreateOrganizationalUnitCommand,
  CreatePolicyCommand,
  DescribeOrganizationCommand,
  DescribePolicyCommand,
  DetachPolicyCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListPoliciesCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
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

export const createOrganization = () => organizations().send(new CreateOrganizationCommand({}));

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

export const createUnit = (ParentId: string, Name: string) =>
  organizations().send(new CreateOrganizationalUnitCommand({ ParentId, Name }));

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

export const createOrganizationPolicy = (Type: PolicyType, Name: string, Description: string, Content: string) =>
  organizations().send(new CreatePolicyCommand({ Type, Name, Description, Content }));

export const attachPolicy = (PolicyId: string, TargetId: string) =>
  organizations().send(new AttachPolicyCommand({ PolicyId, TargetId }));

export const detachPolicy = (PolicyId: string, TargetId: string) =>
  organizations().send(new DetachPolicyCommand({ PolicyId, TargetId }));
