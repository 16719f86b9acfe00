/** Makes the calls of a clean-up's steps. */

import type { Step } from "../../lib/cleanup/plan";
import { berth } from "../berth";
import * as credentials from "./credentials";
import * as groups from "./groups";
import * as permissions from "./permissions";
import * as policies from "./policies";
import * as providers from "./providers";
import * as roles from "./roles";
import * as users from "./users";

/** The input of a step has the members of the operation that its action names: `lib/cleanup/plan` builds both together. */
type Operation = (input: never) => Promise<unknown>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "iam:DeleteLoginProfile": credentials.deleteLoginProfile,
  "iam:DeleteAccessKey": credentials.deleteAccessKey,
  "iam:DeleteSigningCertificate": credentials.deleteSigningCertificate,
  "iam:DeleteSSHPublicKey": credentials.deleteSSHPublicKey,
  "iam:DeleteServiceSpecificCredential": credentials.deleteServiceSpecificCredential,
  "iam:DeactivateMFADevice": credentials.deactivateMFADevice,
  "iam:DeleteVirtualMFADevice": credentials.deleteVirtualMFADevice,
  "iam:DeleteUserPolicy": permissions.deleteUserPolicy,
  "iam:DetachUserPolicy": permissions.detachUserPolicy,
  "iam:DeleteUserPermissionsBoundary": permissions.deleteUserPermissionsBoundary,
  "iam:RemoveUserFromGroup": users.removeUserFromGroup,
  "iam:DeleteUser": users.deleteUser,
  "iam:DetachGroupPolicy": permissions.detachGroupPolicy,
  "iam:DeleteGroupPolicy": permissions.deleteGroupPolicy,
  "iam:DeleteGroup": groups.deleteGroup,
  "iam:RemoveRoleFromInstanceProfile": roles.removeRoleFromInstanceProfile,
  "iam:DeleteInstanceProfile": roles.deleteInstanceProfile,
  "iam:DetachRolePolicy": permissions.detachRolePolicy,
  "iam:DeleteRolePolicy": permissions.deleteRolePolicy,
  "iam:DeleteRolePermissionsBoundary": permissions.deleteRolePermissionsBoundary,
  "iam:DeleteRole": roles.deleteRole,
  "iam:DeleteServiceLinkedRole": roles.deleteServiceLinkedRole,
  "iam:DeletePolicyVersion": policies.deletePolicyVersion,
  "iam:DeletePolicy": policies.deletePolicy,
  "iam:DeleteOpenIDConnectProvider": providers.deleteOpenIDConnectProvider,
  "iam:DeleteSAMLProvider": providers.deleteSAMLProvider,
  "berth:RevokeHost": (input: object) => berth("RevokeHost", input),
};

export async function runStep(step: Step): Promise<void> {
  const operation = OPERATIONS[step.action];
  if (operation === undefined) throw new Error(`no operation for ${step.action}`);
  await operation(step.input as never);
}
