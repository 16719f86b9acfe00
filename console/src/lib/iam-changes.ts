/**
 * The calls that change a user, a group or a role: one form over IAM's three sets of operations, whose names and members
 * differ by the kind alone (IAM API Reference).
 */

import type { Change, Json } from "./commands/change";
import { inlinePolicyOf, type PermissionsChoice } from "./permissions-choice";
import type { Registry } from "./policy/templates";

export type HolderKind = "user" | "group" | "role";

export interface Holder {
  kind: HolderKind;
  name: string;
}

/** What has tags: a user or role by its name, a policy by its ARN. */
export interface Tagged {
  kind: "user" | "role" | "policy";
  name: string;
}

export interface TagPair {
  key: string;
  value: string;
}

const KINDS = { user: "User", group: "Group", role: "Role", policy: "Policy" } as const;

const change = (operation: string, input: Record<string, Json | undefined>): Change => ({ service: "iam", operation, input });

/** The member that names the holder. */
const named = ({ kind, name }: Holder): Record<string, string> => ({ [`${KINDS[kind]}Name`]: name });

export const putInlineChange = (holder: Holder, PolicyName: string, PolicyDocument: string): Change =>
  change(`Put${KINDS[holder.kind]}Policy`, { ...named(holder), PolicyName, PolicyDocument });

export const deleteInlineChange = (holder: Holder, PolicyName: string): Change =>
  change(`Delete${KINDS[holder.kind]}Policy`, { ...named(holder), PolicyName });

export const attachChange = (holder: Holder, PolicyArn: string): Change =>
  change(`Attach${KINDS[holder.kind]}Policy`, { ...named(holder), PolicyArn });

export const detachChange = (holder: Holder, PolicyArn: string): Change =>
  change(`Detach${KINDS[holder.kind]}Policy`, { ...named(holder), PolicyArn });

/** Sets the boundary, or removes it. */
export const boundaryChange = (holder: Holder, PermissionsBoundary: string | undefined): Change =>
  PermissionsBoundary === undefined
    ? change(`Delete${KINDS[holder.kind]}PermissionsBoundary`, named(holder))
    : change(`Put${KINDS[holder.kind]}PermissionsBoundary`, { ...named(holder), PermissionsBoundary });

/** The calls that give the chosen permissions. */
export function grantChanges(holder: Holder, choice: PermissionsChoice, registry: Registry): Change[] {
  const document = inlinePolicyOf(choice, registry);
  return [
    ...(document === undefined ? [] : [putInlineChange(holder, choice.policyName, document)]),
    ...(choice.kind === "managed" ? choice.arns.map((arn) => attachChange(holder, arn)) : []),
  ];
}

/** Tags as the API takes them. */
export const apiTags = (tags: readonly TagPair[]): { Key: string; Value: string }[] =>
  tags.map(({ key, value }) => ({ Key: key, Value: value }));

/** Which tags go and which come, from one list to another. */
export function tagDifference(before: readonly TagPair[], after: readonly TagPair[]): { gone: string[]; set: TagPair[] } {
  return {
    gone: before.filter(({ key }) => !after.some((tag) => tag.key === key)).map(({ key }) => key),
    set: after.filter(({ key, value }) => !before.some((tag) => tag.key === key && tag.value === value)),
  };
}

/** The calls that make the tags what they should be: removals first, because the limit counts. */
export function tagChanges({ kind, name }: Tagged, before: readonly TagPair[], after: readonly TagPair[]): Change[] {
  const { gone, set } = tagDifference(before, after);
  const of = kind === "policy" ? { PolicyArn: name } : { [`${KINDS[kind]}Name`]: name };
  return [
    ...(gone.length === 0 ? [] : [change(`Untag${KINDS[kind]}`, { ...of, TagKeys: gone })]),
    ...(set.length === 0 ? [] : [change(`Tag${KINDS[kind]}`, { ...of, Tags: apiTags(set) })]),
  ];
}
