/** A user, a group or a role as a holder of policies and tags: one interface over IAM's three sets of operations. */

import { putInlineChange, type Holder, type TagPair, type Tagged } from "../../lib/iam-changes";
import { decodeDocument } from "../../lib/trust/document";
import { collect, from, markerOf } from "./collect";
import * as permissions from "./permissions";
import { perform } from "../perform";
import { listRoleTags } from "./roles";
import { listUserTags } from "./users";
import { listPolicyTags } from "./policies";

export type { Holder, TagPair, Tagged };

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

export async function putInline(holder: Holder, name: string, document: string): Promise<void> {
  await perform(putInlineChange(holder, name, document));
}

/** Groups have no boundary. */
export type BoundHolder = Holder & { kind: "user" | "role" };

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
