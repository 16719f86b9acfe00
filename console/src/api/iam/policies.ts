/** Managed policies and their versions. */

import {
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyTagsCommand,
  ListPolicyVersionsCommand,
  SetDefaultPolicyVersionCommand,
  TagPolicyCommand,
  UntagPolicyCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const createPolicy = call(CreatePolicyCommand);
export const createPolicyVersion = call(CreatePolicyVersionCommand);
export const deletePolicy = call(DeletePolicyCommand);
export const deletePolicyVersion = call(DeletePolicyVersionCommand);
export const getPolicy = call(GetPolicyCommand);
export const getPolicyVersion = call(GetPolicyVersionCommand);
export const listEntitiesForPolicy = call(ListEntitiesForPolicyCommand);
export const listPolicies = call(ListPoliciesCommand);
export const listPolicyTags = call(ListPolicyTagsCommand);
export const listPolicyVersions = call(ListPolicyVersionsCommand);
export const setDefaultPolicyVersion = call(SetDefaultPolicyVersionCommand);
export const tagPolicy = call(TagPolicyCommand);
export const untagPolicy = call(UntagPolicyCommand);
