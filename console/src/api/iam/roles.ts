/** Roles, their trust policies and instance profiles. */

import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteServiceLinkedRoleCommand,
  GetInstanceProfileCommand,
  GetRoleCommand,
  ListInstanceProfilesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRoleTagsCommand,
  ListRolesCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const addRoleToInstanceProfile = call(AddRoleToInstanceProfileCommand);
export const createInstanceProfile = call(CreateInstanceProfileCommand);
export const createRole = call(CreateRoleCommand);
export const deleteInstanceProfile = call(DeleteInstanceProfileCommand);
export const deleteRole = call(DeleteRoleCommand);
export const deleteServiceLinkedRole = call(DeleteServiceLinkedRoleCommand);
export const getInstanceProfile = call(GetInstanceProfileCommand);
export const getRole = call(GetRoleCommand);
export const listInstanceProfiles = call(ListInstanceProfilesCommand);
export const listInstanceProfilesForRole = call(ListInstanceProfilesForRoleCommand);
export const listRoleTags = call(ListRoleTagsCommand);
export const listRoles = call(ListRolesCommand);
export const removeRoleFromInstanceProfile = call(RemoveRoleFromInstanceProfileCommand);
export const tagRole = call(TagRoleCommand);
export const untagRole = call(UntagRoleCommand);
export const updateAssumeRolePolicy = call(UpdateAssumeRolePolicyCommand);
export const updateRole = call(UpdateRoleCommand);
