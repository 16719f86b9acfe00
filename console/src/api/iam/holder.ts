/** A user, a group or a role as a holder of policies and tags: one interface over IAM's three sets of operations. */

import { decodeDocument } from "../../lib/trust/document";
import { collect, from, markerOf } from "./collect";
import * as permissions from "./permissions";
import { listRoleTags, tagRole, untagRole } from "./roles";
import { listUserTags, tagUser, untagUser } from "./users";
import { listPolicyTags, tagPolicy, untagPolicy } from "./policies";

export type HolderKind = "user" | "group" | "role";

export interface Holder {
  kind: HolderKind;
  name: string;
}

export interface Attached {
  arn: string;
  name: string;
}

export async function inlinePolicies({ kind, name }: Holder): Promise<string[]> {
  const found = await collect(async (marker) => {
    const answer =
      kind === "user"
        ? await permissions.listUserPolicies({ UserName: name, ...from(marker) })
        : kind === "group"
          ? await permissions.listGroupPolicies({ GroupName: name, ...from(marker) })
          : await permissions.listRolePolicies({ RoleName: name, ...from(marker) });
    return { items: answer.PolicyNames ?? [], marker: markerOf(answer) };
  });
  return found.items;
}

export async function attachedPolicies({ kind, name }: Holder): Promise<Attached[]> {
  const found = await collect(async (marker) => {
    const answer =
      kind === "user"
        ? await permissions.listAttachedUserPolicies({ UserName: name, ...from(marker) })
        : kind === "group"
          ? await permissions.listAttachedGroupPolicies({ GroupName: name, ...from(marker) })
          : await permissions.listAttachedRolePolicies({ RoleName: name, ...from(marker) });
    const items = (answer.AttachedPolicies ?? []).map((policy) => ({
      arn: policy.PolicyArn ?? "",
      name: policy.PolicyName ?? "",
    }));
    return { items, marker: markerOf(answer) };
  });
  return found.items;
}

export async function inlineDocument({ kind, name }: Holder, PolicyName: string): Promise<string> {
  const answer =
    kind === "user"
      ? await permissions.getUserPolicy({ UserName: name, PolicyName })
      : kind === "group"
        ? await permissions.getGroupPolicy({ GroupName: name, PolicyName })
        : await permissions.getRolePolicy({ RoleName: name, PolicyName });
  return decodeDocument(answer.PolicyDocument ?? "");
}

export async function putInline({ kind, name }: Holder, PolicyName: string, PolicyDocument: string): Promise<void> {
  if (kind === "user") await permissions.putUserPolicy({ UserName: name, PolicyName, PolicyDocument });
  else if (kind === "group") await permissions.putGroupPolicy({ GroupName: name, PolicyName, PolicyDocument });
  else await permissions.putRolePolicy({ RoleName: name, PolicyName, PolicyDocument });
}

export async function deleteInline({ kind, name }: Holder, PolicyName: string): Promise<void> {
  if (kind === "user") await permissions.deleteUserPolicy({ UserName: name, PolicyName });
  else if (kind === "group") await permissions.deleteGroupPolicy({ GroupName: name, PolicyName });
  else await permissions.deleteRolePolicy({ RoleName: name, PolicyName });
}

export async function attach({ kind, name }: Holder, PolicyArn: string): Promise<void> {
  if (kind === "user") await permissions.attachUserPolicy({ UserName: name, PolicyArn });
  else if (kind === "group") await permissions.attachGroupPolicy({ GroupName: name, PolicyArn });
  else await permissions.attachRolePolicy({ RoleName: name, PolicyArn });
}

export async function detach({ kind, name }: Holder, PolicyArn: string): Promise<void> {
  if (kind === "user") await permissions.detachUserPolicy({ UserName: name, PolicyArn });
  else if (kind === "group") await permissions.detachGroupPolicy({ GroupName: name, PolicyArn });
  else await permissions.detachRolePolicy({ RoleName: name, PolicyArn });
}

/** Groups have no boundary. */
export type BoundHolder = Holder & { kind: "user" | "role" };

export async function setBoundary({ kind, name }: BoundHolder, arn: string | undefined): Promise<void> {
  if (kind === "user") {
    if (arn === undefined) await permissions.deleteUserPermissionsBoundary({ UserName: name });
    else await permissions.putUserPermissionsBoundary({ UserName: name, PermissionsBoundary: arn });
  } else if (arn === undefined) await permissions.deleteRolePermissionsBoundary({ RoleName: name });
  else await permissions.putRolePermissionsBoundary({ RoleName: name, PermissionsBoundary: arn });
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

export async function tagsOf({ kind, name }: Tagged): Promise<TagPair[]> {
  const found = await collect(async (marker) => {
    const answer =
      kind === "user"
        ? await listUserTags({ UserName: name, ...from(marker) })
        : kind === "role"
          ? await listRoleTags({ RoleName: name, ...from(marker) })
          : await listPolicyTags({ PolicyArn: name, ...from(marker) });
    const items = (answer.Tags ?? []).map((tag) => ({ key: tag.Key ?? "", value: tag.Value ?? "" }));
    return { items, marker: markerOf(answer) };
  });
  return found.items;
}

/** Makes the tags what they should be: removes first, because the limit counts. */
export async function saveTags({ kind, name }: Tagged, before: TagPair[], after: TagPair[]): Promise<void> {
  const TagKeys = before.filter(({ key }) => !after.some((tag) => tag.key === key)).map(({ key }) => key);
  const changed = after.filter(({ key, value }) => !before.some((tag) => tag.key === key && tag.value === value));
  const Tags = changed.map(({ key, value }) => ({ Key: key, Value: value }));
  if (TagKeys.length > 0) {
    if (kind === "user") await untagUser({ UserName: name, TagKeys });
    else if (kind === "role") await untagRole({ RoleName: name, TagKeys });
    else await untagPolicy({ PolicyArn: name, TagKeys });
  }
  if (Tags.length > 0) {
    if (kind === "user") await tagUser({ UserName: name, Tags });
    else if (kind === "role") await tagRole({ RoleName: name, Tags });
    else await tagPolicy({ PolicyArn: name, Tags });
  }
}
