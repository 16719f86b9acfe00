/** What the wizard holds, and the calls that make the role. */

import { iamChange, perform, performAll } from "../../api/perform";
import type { Change } from "../../lib/commands/change";
import { apiTags, grantChanges, type TagPair } from "../../lib/iam-changes";
import { descriptionProblem, nameProblem, pathProblem, sessionSecondsProblem, tagsProblem } from "../../lib/names";
import { noPermissions, type PermissionsChoice } from "../../lib/permissions-choice";
import type { Registry } from "../../lib/policy/templates";
import { emptyEntity, trustPolicy, type TrustedEntity } from "../../lib/trust/entity";

export interface RoleDraft {
  entity: TrustedEntity;
  permissions: PermissionsChoice;
  name: string;
  description: string;
  path: string;
  seconds: string;
  tags: TagPair[];
}

export const emptyRole: RoleDraft = {
  entity: emptyEntity("service"),
  permissions: noPermissions,
  name: "",
  description: "",
  path: "/",
  seconds: "3600",
  tags: [],
};

export function isNamed(draft: RoleDraft): boolean {
  return (
    nameProblem("role", draft.name) === undefined &&
    descriptionProblem(draft.description) === undefined &&
    pathProblem(draft.path) === undefined &&
    sessionSecondsProblem(Number(draft.seconds)) === undefined &&
    tagsProblem(draft.tags) === undefined
  );
}

/** The calls that make the role and what belongs to it. */
export function roleChanges(draft: RoleDraft, registry: Registry): Change[] {
  const RoleName = draft.name;
  const isForHosts = draft.entity.kind === "service" && draft.entity.services.includes("ec2.amazonaws.com");
  return [
    iamChange("CreateRole", {
      RoleName,
      AssumeRolePolicyDocument: trustPolicy(draft.entity, registry.partition),
      MaxSessionDuration: Number(draft.seconds),
      ...(draft.description === "" ? {} : { Description: draft.description }),
      ...(draft.path === "" || draft.path === "/" ? {} : { Path: draft.path }),
      ...(draft.tags.length === 0 ? {} : { Tags: apiTags(draft.tags) }),
    }),
    ...grantChanges({ kind: "role", name: RoleName }, draft.permissions, registry),
    // "If you use the console to create a role for EC2, the console creates an instance profile and gives it the
    // same name as the role" (IAM User Guide, "Use instance profiles").
    ...(isForHosts
      ? [
          iamChange("CreateInstanceProfile", { InstanceProfileName: RoleName }),
          iamChange("AddRoleToInstanceProfile", { InstanceProfileName: RoleName, RoleName }),
        ]
      : []),
  ];
}

/** Makes the role; answers what failed after it was made. */
export async function makeRole(draft: RoleDraft, registry: Registry): Promise<{ failure?: unknown }> {
  const [role, ...others] = roleChanges(draft, registry);
  if (role !== undefined) await perform(role);
  try {
    await performAll(others);
    return {};
  } catch (failure) {
    return { failure };
  }
}
