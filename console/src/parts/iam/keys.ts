/** Keys of the cached answers. A change makes all keys below one of them stale. */

import type { Holder } from "../../api/iam/holder";

export const holderKey = ({ kind, name }: Holder): string[] => ["iam", kind, name];
export const listKey = (kind: "users" | "groups" | "roles" | "policies" | "providers" | "hosts"): string[] => ["iam", kind];
export const policyKey = (arn: string): string[] => ["iam", "policy", arn];
export const providerKey = (arn: string): string[] => ["iam", "provider", arn];
