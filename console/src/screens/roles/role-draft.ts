/** What the wizard holds, and the calls that make the role. */

import type { TagPair } from "../../api/iam/holder";
import { grant } from "../../api/iam/grant";
import { addRoleToInstanceProfile, createInstanceProfile, createRole } from "../../api/iam/roles";
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

/** Makes the role; answers what failed after it was made. */
export async function makeRole(draft: RoleDraft, registry: Registry): Promise<{ failure?: unknown }> {
  const RoleName = draft.name;
  const Tags = draft.tags.map(({ key, value }) => ({ Key: key, Value: value }));
  await createRole({
    RoleName,
    AssumeRolePolicyDocument: trustPolicy(draft.entity, registry.partition),
    MaxSessionDuration: Number(draft.seconds),
    ...(draft.description === "" ? {} : { Description: draft.description }),
    ...(draft.path === "" || draft.path === "/" ? {} : { Path: draft.path }),
    ...(Tags.length === 0 ? {} : { Tags }),
  });
  try {
    await grant({ kind: "role", name: RoleName }, draft.permissions, registry);
    if (draft.entity.kind === "service" && draft.entity.services.includes("ec2.amazonaws.com")) {
      // "If you use the console to create a role for EC2, the console creates an instance profile and gives it the
      // same name as the role" (IAM User Guide, "Use instance profiles").
      await createInstanceProfile({ InstanceProfileName: RoleName });
      await addRoleToInstanceProfile({ InstanceProfileName: RoleName, RoleName });
    }
    return {};
  } catch (failure) {
    return { failure };
  }
}
