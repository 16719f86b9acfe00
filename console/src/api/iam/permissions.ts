/** The policies of a user, a group or a role. */

import {
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  DeleteGroupPolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DeleteUserPermissionsBoundaryCommand,
  DeleteUserPolicyCommand,
  DetachGroupPolicyCommand,
  DetachRolePolicyCommand,
  DetachUserPolicyCommand,
  GetGroupPolicyCommand,
  GetRolePolicyCommand,
  GetUserPolicyCommand,
  ListAttachedGroupPoliciesCommand,
  ListAttachedRolePoliciesCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupPoliciesCommand,
  ListRolePoliciesCommand,
  ListUserPoliciesCommand,
  PutGroupPolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const attachGroupPolicy = call(AttachGroupPolicyCommand);
export const attachRolePolicy = call(AttachRolePolicyCommand);
export const attachUserPolicy = call(AttachUserPolicyCommand);
export const deleteGroupPolicy = call(DeleteGroupPolicyCommand);
export const deleteRolePermissionsBoundary = call(DeleteRolePermissionsBoundaryCommand);
export const deleteRolePolicy = call(DeleteRolePolicyCommand);
export const deleteUserPermissionsBoundary = call(DeleteUserPermissionsBoundaryCommand);
export const deleteUserPolicy = call(DeleteUserPolicyCommand);
export const detachGroupPolicy = call(DetachGroupPolicyCommand);
export const detachRolePolicy = call(DetachRolePolicyCommand);
export const detachUserPolicy = call(DetachUserPolicyCommand);
export const getGroupPolicy = call(GetGroupPolicyCommand);
export const getRolePolicy = call(GetRolePolicyCommand);
export const getUserPolicy = call(GetUserPolicyCommand);
export const listAttachedGroupPolicies = call(ListAttachedGroupPoliciesCommand);
export const listAttachedRolePolicies = call(ListAttachedRolePoliciesCommand);
export const listAttachedUserPolicies = call(ListAttachedUserPoliciesCommand);
export const listGroupPolicies = call(ListGroupPoliciesCommand);
export const listRolePolicies = call(ListRolePoliciesCommand);
export const listUserPolicies = call(ListUserPoliciesCommand);
export const putGroupPolicy = call(PutGroupPolicyCommand);
export const putRolePermissionsBoundary = call(PutRolePermissionsBoundaryCommand);
export const putRolePolicy = call(PutRolePolicyCommand);
export const putUserPermissionsBoundary = call(PutUserPermissionsBoundaryCommand);
export const putUserPolicy = call(PutUserPolicyCommand);
