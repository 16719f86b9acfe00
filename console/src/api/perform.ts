/**
 * Makes the calls of a change. A form builds its change once: what it shows as a command is what is called.
 */

import {
  BatchDeleteImageCommand,
  CreatePullThroughCacheRuleCommand,
  CreateRepositoryCommand,
  CreateRepositoryCreationTemplateCommand,
  DeletePullThroughCacheRuleCommand,
  DeleteRegistryPolicyCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryCreationTemplateCommand,
  DeregisterPullTimeUpdateExclusionCommand,
  PutAccountSettingCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  PutRegistryPolicyCommand,
  PutRegistryScanningConfigurationCommand,
  RegisterPullTimeUpdateExclusionCommand,
  StartReplicationBackfillCommand,
  StopReplicationBackfillCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdatePullThroughCacheRuleCommand,
  UpdateRepositoryCreationTemplateCommand,
} from "@aws-sdk/client-ecr";
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreateOrganizationalUnitCommand,
  CreatePolicyCommand,
  DetachPolicyCommand,
  MoveAccountCommand,
} from "@aws-sdk/client-organizations";
import type { Change } from "../lib/commands/change";
import { berth } from "./berth";
import { ecr, organizations } from "./clients";
import type { ServiceCall } from "./json-service";
import { kms } from "./kms";
import { putReplication } from "./replication";
import { secretsManager } from "./secrets";
import * as account from "./iam/account";
import * as credentials from "./iam/credentials";
import * as groups from "./iam/groups";
import * as permissions from "./iam/permissions";
import * as policies from "./iam/policies";
import * as providers from "./iam/providers";
import * as roles from "./iam/roles";
import * as users from "./iam/users";

/** By the operation's name with a small first letter. */
const IAM = { ...account, ...credentials, ...groups, ...permissions, ...policies, ...providers, ...roles, ...users };

export type IamOperation = Capitalize<keyof typeof IAM>;

type Input<Operation extends IamOperation> = Parameters<(typeof IAM)[Uncapitalize<Operation>]>[0];

/** A call of IAM. */
export function iamChange<Operation extends IamOperation>(operation: Operation, input: Input<Operation>): Change {
  return { service: "iam", operation, input: input as unknown as Change["input"] };
}

type Call = (input: never) => Promise<unknown>;

const OTHERS: Readonly<Record<string, Call>> = {
  "ecr:BatchDeleteImage": (input) => ecr().send(new BatchDeleteImageCommand(input)),
  "ecr:CreateRepository": (input) => ecr().send(new CreateRepositoryCommand(input)),
  "ecr:DeleteRepository": (input) => ecr().send(new DeleteRepositoryCommand(input)),
  "ecr:PutImageTagMutability": (input) => ecr().send(new PutImageTagMutabilityCommand(input)),
  "ecr:PutImageScanningConfiguration": (input) => ecr().send(new PutImageScanningConfigurationCommand(input)),
  "ecr:TagResource": (input) => ecr().send(new TagResourceCommand(input)),
  "ecr:UntagResource": (input) => ecr().send(new UntagResourceCommand(input)),
  "ecr:CreateRepositoryCreationTemplate": (input) => ecr().send(new CreateRepositoryCreationTemplateCommand(input)),
  "ecr:UpdateRepositoryCreationTemplate": (input) => ecr().send(new UpdateRepositoryCreationTemplateCommand(input)),
  "ecr:DeleteRepositoryCreationTemplate": (input) => ecr().send(new DeleteRepositoryCreationTemplateCommand(input)),
  "ecr:CreatePullThroughCacheRule": (input) => ecr().send(new CreatePullThroughCacheRuleCommand(input)),
  "ecr:UpdatePullThroughCacheRule": (input) => ecr().send(new UpdatePullThroughCacheRuleCommand(input)),
  "ecr:DeletePullThroughCacheRule": (input) => ecr().send(new DeletePullThroughCacheRuleCommand(input)),
  "ecr:PutAccountSetting": (input) => ecr().send(new PutAccountSettingCommand(input)),
  "ecr:PutRegistryPolicy": (input) => ecr().send(new PutRegistryPolicyCommand(input)),
  "ecr:DeleteRegistryPolicy": (input) => ecr().send(new DeleteRegistryPolicyCommand(input)),
  "ecr:PutReplicationConfiguration": putReplication,
  "ecr:StartReplicationBackfill": (input) => ecr().send(new StartReplicationBackfillCommand(input)),
  "ecr:StopReplicationBackfill": (input) => ecr().send(new StopReplicationBackfillCommand(input)),
  "ecr:PutRegistryScanningConfiguration": (input) => ecr().send(new PutRegistryScanningConfigurationCommand(input)),
  "ecr:RegisterPullTimeUpdateExclusion": (input) => ecr().send(new RegisterPullTimeUpdateExclusionCommand(input)),
  "ecr:DeregisterPullTimeUpdateExclusion": (input) => ecr().send(new DeregisterPullTimeUpdateExclusionCommand(input)),
  "organizations:AttachPolicy": (input) => organizations().send(new AttachPolicyCommand(input)),
  "organizations:CreateAccount": (input) => organizations().send(new CreateAccountCommand(input)),
  "organizations:CreateOrganization": (input) => organizations().send(new CreateOrganizationCommand(input)),
  "organizations:CreateOrganizationalUnit": (input) => organizations().send(new CreateOrganizationalUnitCommand(input)),
  "organizations:CreatePolicy": (input) => organizations().send(new CreatePolicyCommand(input)),
  "organizations:DetachPolicy": (input) => organizations().send(new DetachPolicyCommand(input)),
  "organizations:MoveAccount": (input) => organizations().send(new MoveAccountCommand(input)),
};

/** Services without an SDK. */
const JSON_SERVICES: Readonly<Record<string, ServiceCall>> = { berth, kms, secretsmanager: secretsManager };

function callOf({ service, operation }: Change): Call | undefined {
  const json = JSON_SERVICES[service];
  if (json !== undefined) return (input: object) => json(operation, input);
  if (service !== "iam") return OTHERS[`${service}:${operation}`];
  const name = operation.charAt(0).toLowerCase() + operation.slice(1);
  return Object.hasOwn(IAM, name) ? IAM[name as keyof typeof IAM] : undefined;
}

/** Makes the call of a change, and answers what the API answers. */
export async function perform(change: Change): Promise<unknown> {
  const call = callOf(change);
  if (call === undefined) throw new Error(`no operation for ${change.service}:${change.operation}`);
  return call(change.input as never);
}

/** Makes calls one after the other, and stops at the first failure. */
export async function performAll(changes: readonly Change[]): Promise<void> {
  for (const change of changes) await perform(change);
}
