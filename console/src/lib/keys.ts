/** Keys of KMS: the form of a new one, and the calls that change one. */

import type { Change, Json } from "./commands/change";
import { tagDifference, type TagPair } from "./iam-changes";

export interface KeyForm {
  /** Without `alias/`; empty for none. */
  alias: string;
  description: string;
  tags: TagPair[];
}

export const EMPTY_KEY: KeyForm = { alias: "", description: "", tags: [] };

const ALIAS_PREFIX = "alias/";
/** KMS API Reference, CreateAlias; names that begin with `aws/` are AWS's own. */
const ALIAS = /^[a-zA-Z0-9/_-]{1,250}$/;
/** KMS API Reference, CreateKey. */
export const DESCRIPTION_MAX = 8192;
/** KMS API Reference, EnableKeyRotation and ScheduleKeyDeletion. */
export const ROTATION_DAYS = { min: 90, max: 2560, usual: 365 } as const;
export const WINDOW_DAYS = { min: 7, max: 30 } as const;

export const isAlias = (name: string): boolean => ALIAS.test(name) && !name.startsWith("aws/");

export const isWithin = (days: number, { min, max }: { min: number; max: number }): boolean =>
  Number.isInteger(days) && days >= min && days <= max;

const change = (operation: string, input: Record<string, Json | undefined>): Change => ({ service: "kms", operation, input });

const keyTags = (tags: readonly TagPair[]) => tags.map(({ key, value }) => ({ TagKey: key, TagValue: value }));

export const createKey = ({ description, tags }: KeyForm): Change =>
  change("CreateKey", {
    ...(description.trim() === "" ? {} : { Description: description.trim() }),
    ...(tags.length === 0 ? {} : { Tags: keyTags(tags) }),
  });

/** An alias; of a key whose id is not known yet, the command reads it from an environment variable. */
export function createAlias(name: string, keyId: string | undefined): Change {
  const made = change("CreateAlias", { AliasName: `${ALIAS_PREFIX}${name.trim()}`, TargetKeyId: keyId ?? "" });
  return keyId === undefined ? { ...made, secrets: ["TargetKeyId"] } : made;
}

export const deleteAlias = (aliasName: string): Change => change("DeleteAlias", { AliasName: aliasName });

/** The calls of the form, in their order. */
export const createChanges = (form: KeyForm): Change[] => [
  createKey(form),
  ...(form.alias.trim() === "" ? [] : [createAlias(form.alias, undefined)]),
];

export const setEnabled = (keyId: string, isEnabled: boolean): Change =>
  change(isEnabled ? "EnableKey" : "DisableKey", { KeyId: keyId });

/** Rotation each so many days, or none. */
export const setRotation = (keyId: string, days: number | undefined): Change =>
  days === undefined
    ? change("DisableKeyRotation", { KeyId: keyId })
    : change("EnableKeyRotation", { KeyId: keyId, RotationPeriodInDays: days });

export const scheduleDeletion = (keyId: string, days: number): Change =>
  change("ScheduleKeyDeletion", { KeyId: keyId, PendingWindowInDays: days });

export const cancelDeletion = (keyId: string): Change => change("CancelKeyDeletion", { KeyId: keyId });

export const describe = (keyId: string, description: string): Change =>
  change("UpdateKeyDescription", { KeyId: keyId, Description: description });

export const putPolicy = (keyId: string, policy: string): Change =>
  change("PutKeyPolicy", { KeyId: keyId, PolicyName: "default", Policy: policy });

/** The calls that make the tags what they are to be. */
export function tagChanges(keyId: string, before: TagPair[], after: TagPair[]): Change[] {
  const { gone, set } = tagDifference(before, after);
  return [
    ...(gone.length === 0 ? [] : [change("UntagResource", { KeyId: keyId, TagKeys: gone })]),
    ...(set.length === 0 ? [] : [change("TagResource", { KeyId: keyId, Tags: keyTags(set) })]),
  ];
}

/** The indicator of a key's state. */
export function stateType(state: string): "success" | "stopped" | "warning" {
  if (state === "Enabled") return "success";
  return state === "PendingDeletion" ? "warning" : "stopped";
}
