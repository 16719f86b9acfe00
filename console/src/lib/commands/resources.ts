/** The resources of Terraform's AWS provider that a change makes or sets, by the operations of the change. */

import type { Change, Json } from "./change";
import { label, type Raw, type TerraformBlock } from "./terraform";

type Input = Record<string, Json | undefined>;
type Attributes = Record<string, Json | Raw | undefined>;

const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const object = (value: Json | undefined): Input =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

/** Tags of the API as Terraform's map. */
function tags(value: Json | undefined): Json | undefined {
  const pairs = list(value).map(object);
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs.map((tag) => [text(tag["Key"]), text(tag["Value"])]));
}

/** Tags of KMS, whose members have other names. */
const keyTags = (value: Json | undefined): Json | undefined =>
  tags(list(value).map(object).map((tag) => ({ Key: tag["TagKey"], Value: tag["TagValue"] })));

const resource = (type: string, name: string, attributes: Attributes, blocks: TerraformBlock[] = []): TerraformBlock => ({
  head: ["resource", type, label(name === "" ? "this" : name)],
  attributes,
  ...(blocks.length === 0 ? {} : { blocks }),
});

/** The last part of an ARN. */
const lastOf = (arn: string): string => arn.slice(Math.max(arn.lastIndexOf("/"), arn.lastIndexOf(":")) + 1);

/** A name: the reference to the resource where the change makes it, so that Terraform keeps the order. */
type Refer = (type: string, name: Json | undefined) => Json | Raw;

type Make = (input: Input, refer: Refer) => TerraformBlock | TerraformBlock[];

const USER = "aws_iam_user";
const GROUP = "aws_iam_group";
const ROLE = "aws_iam_role";

/** Which operation makes a resource that others of the change refer to, and the member that names it. */
function template(input: Input): TerraformBlock {
  const { attributes, blocks } = mutability(input);
  const filled = (name: string) => (text(input[name]) === "" ? undefined : input[name]);
  return resource(
    "aws_ecr_repository_creation_template",
    text(input["prefix"]),
    {
      prefix: input["prefix"],
      description: filled("description"),
      applied_for: input["appliedFor"],
      ...attributes,
      custom_role_arn: filled("customRoleArn"),
      repository_policy: filled("repositoryPolicy"),
      lifecycle_policy: filled("lifecyclePolicy"),
      resource_tags: tags(input["resourceTags"]),
    },
    blocks,
  );
}

const MAKERS: Readonly<Record<string, { operation: string; member: string }>> = {
  [USER]: { operation: "CreateUser", member: "UserName" },
  [GROUP]: { operation: "CreateGroup", member: "GroupName" },
  [ROLE]: { operation: "CreateRole", member: "RoleName" },
};

const inline =
  (type: string, holder: string, holderType: string, member: string): Make =>
  (input, refer) =>
    resource(type, `${text(input[member])}-${text(input["PolicyName"])}`, {
      name: text(input["PolicyName"]),
      [holder]: refer(holderType, input[member]),
      policy: text(input["PolicyDocument"]),
    });

const attachment =
  (type: string, holder: string, holderType: string, member: string): Make =>
  (input, refer) =>
    resource(type, `${text(input[member])}-${lastOf(text(input["PolicyArn"]))}`, {
      [holder]: refer(holderType, input[member]),
      policy_arn: text(input["PolicyArn"]),
    });

const repository = (name: string, attributes: Attributes, blocks: TerraformBlock[] = []): TerraformBlock =>
  resource("aws_ecr_repository", name, { name, ...attributes }, blocks);

function mutability(input: Input): { attributes: Attributes; blocks: TerraformBlock[] } {
  return {
    attributes: { image_tag_mutability: input["imageTagMutability"] },
    blocks: list(input["imageTagMutabilityExclusionFilters"]).map((each) => ({
      head: ["image_tag_mutability_exclusion_filter"],
      attributes: { filter: object(each)["filter"], filter_type: object(each)["filterType"] },
    })),
  };
}

function scanning(value: Json | undefined): TerraformBlock[] {
  const isOn = object(value)["scanOnPush"];
  if (typeof isOn !== "boolean") return [];
  return [{ head: ["image_scanning_configuration"], attributes: { scan_on_push: isOn } }];
}

/** The key of a repository that is encrypted under one. */
function encryption(value: Json | undefined): TerraformBlock[] {
  const { encryptionType, kmsKey } = object(value);
  if (encryptionType === undefined) return [];
  return [{ head: ["encryption_configuration"], attributes: { encryption_type: encryptionType, kms_key: kmsKey } }];
}

const MAKE: Readonly<Record<string, Make>> = {
  "iam:CreateUser": (input) =>
    resource(USER, text(input["UserName"]), {
      name: input["UserName"],
      path: input["Path"],
      permissions_boundary: input["PermissionsBoundary"],
      tags: tags(input["Tags"]),
    }),
  "iam:UpdateUser": (input) =>
    resource(USER, text(input["UserName"]), { name: input["NewUserName"] ?? input["UserName"], path: input["NewPath"] }),
  "iam:TagUser": (input) => resource(USER, text(input["UserName"]), { name: input["UserName"], tags: tags(input["Tags"]) }),
  "iam:PutUserPermissionsBoundary": (input) =>
    resource(USER, text(input["UserName"]), { name: input["UserName"], permissions_boundary: input["PermissionsBoundary"] }),
  "iam:AddUserToGroup": (input, refer) =>
    resource("aws_iam_user_group_membership", `${text(input["UserName"])}-${text(input["GroupName"])}`, {
      user: refer(USER, input["UserName"]),
      groups: [text(input["GroupName"])],
    }),
  "iam:CreateAccessKey": (input, refer) =>
    resource("aws_iam_access_key", text(input["UserName"]), { user: refer(USER, input["UserName"]) }),
  "iam:CreateLoginProfile": (input, refer) =>
    // Terraform makes a password of its own.
    resource("aws_iam_user_login_profile", text(input["UserName"]), {
      user: refer(USER, input["UserName"]),
      password_reset_required: input["PasswordResetRequired"],
    }),
  "iam:CreateVirtualMFADevice": (input) =>
    resource("aws_iam_virtual_mfa_device", text(input["VirtualMFADeviceName"]), {
      virtual_mfa_device_name: input["VirtualMFADeviceName"],
    }),
  "iam:PutUserPolicy": inline("aws_iam_user_policy", "user", USER, "UserName"),
  "iam:PutGroupPolicy": inline("aws_iam_group_policy", "group", GROUP, "GroupName"),
  "iam:PutRolePolicy": inline("aws_iam_role_policy", "role", ROLE, "RoleName"),
  "iam:AttachUserPolicy": attachment("aws_iam_user_policy_attachment", "user", USER, "UserName"),
  "iam:AttachGroupPolicy": attachment("aws_iam_group_policy_attachment", "group", GROUP, "GroupName"),
  "iam:AttachRolePolicy": attachment("aws_iam_role_policy_attachment", "role", ROLE, "RoleName"),
  "iam:CreateGroup": (input) =>
    resource(GROUP, text(input["GroupName"]), { name: input["GroupName"], path: input["Path"] }),
  "iam:CreateRole": (input) =>
    resource(ROLE, text(input["RoleName"]), {
      name: input["RoleName"],
      path: input["Path"],
      description: input["Description"],
      max_session_duration: input["MaxSessionDuration"],
      assume_role_policy: input["AssumeRolePolicyDocument"],
      tags: tags(input["Tags"]),
    }),
  "iam:UpdateRole": (input) =>
    resource(ROLE, text(input["RoleName"]), {
      name: input["RoleName"],
      description: input["Description"],
      max_session_duration: input["MaxSessionDuration"],
    }),
  "iam:UpdateAssumeRolePolicy": (input) =>
    resource(ROLE, text(input["RoleName"]), { name: input["RoleName"], assume_role_policy: input["PolicyDocument"] }),
  "iam:TagRole": (input) => resource(ROLE, text(input["RoleName"]), { name: input["RoleName"], tags: tags(input["Tags"]) }),
  "iam:PutRolePermissionsBoundary": (input) =>
    resource(ROLE, text(input["RoleName"]), { name: input["RoleName"], permissions_boundary: input["PermissionsBoundary"] }),
  "iam:AddRoleToInstanceProfile": (input, refer) =>
    resource("aws_iam_instance_profile", text(input["InstanceProfileName"]), {
      name: input["InstanceProfileName"],
      role: refer(ROLE, input["RoleName"]),
    }),
  "iam:CreatePolicy": (input) =>
    resource("aws_iam_policy", text(input["PolicyName"]), {
      name: input["PolicyName"],
      path: input["Path"],
      description: input["Description"],
      policy: input["PolicyDocument"],
      tags: tags(input["Tags"]),
    }),
  "iam:CreatePolicyVersion": (input) =>
    resource("aws_iam_policy", lastOf(text(input["PolicyArn"])), {
      name: lastOf(text(input["PolicyArn"])),
      policy: input["PolicyDocument"],
    }),
  "iam:TagPolicy": (input) =>
    resource("aws_iam_policy", lastOf(text(input["PolicyArn"])), {
      name: lastOf(text(input["PolicyArn"])),
      tags: tags(input["Tags"]),
    }),
  "iam:CreateOpenIDConnectProvider": (input) =>
    resource("aws_iam_openid_connect_provider", text(input["Url"]).replace(/^https:\/\//, ""), {
      url: input["Url"],
      client_id_list: input["ClientIDList"],
      thumbprint_list: list(input["ThumbprintList"]).length === 0 ? undefined : input["ThumbprintList"],
    }),
  "iam:CreateSAMLProvider": (input) =>
    resource("aws_iam_saml_provider", text(input["Name"]), {
      name: input["Name"],
      saml_metadata_document: input["SAMLMetadataDocument"],
    }),
  "iam:UpdateSAMLProvider": (input) =>
    resource("aws_iam_saml_provider", lastOf(text(input["SAMLProviderArn"])), {
      name: lastOf(text(input["SAMLProviderArn"])),
      saml_metadata_document: input["SAMLMetadataDocument"],
    }),
  "iam:CreateAccountAlias": (input) =>
    resource("aws_iam_account_alias", "alias", { account_alias: input["AccountAlias"] }),
  "iam:UpdateAccountPasswordPolicy": (input) =>
    resource("aws_iam_account_password_policy", "strict", {
      minimum_password_length: input["MinimumPasswordLength"],
      require_lowercase_characters: input["RequireLowercaseCharacters"],
      require_uppercase_characters: input["RequireUppercaseCharacters"],
      require_numbers: input["RequireNumbers"],
      require_symbols: input["RequireSymbols"],
      allow_users_to_change_password: input["AllowUsersToChangePassword"],
      hard_expiry: input["HardExpiry"],
      max_password_age: input["MaxPasswordAge"],
      password_reuse_prevention: input["PasswordReusePrevention"],
    }),
  "organizations:CreateOrganization": () =>
    resource("aws_organizations_organization", "organization", { feature_set: "ALL" }),
  "organizations:CreateOrganizationalUnit": (input) =>
    resource("aws_organizations_organizational_unit", text(input["Name"]), {
      name: input["Name"],
      parent_id: input["ParentId"],
    }),
  "organizations:CreateAccount": (input) =>
    resource("aws_organizations_account", text(input["AccountName"]), {
      name: input["AccountName"],
      email: input["Email"],
    }),
  "organizations:MoveAccount": (input) =>
    resource("aws_organizations_account", `account-${text(input["AccountId"])}`, {
      parent_id: input["DestinationParentId"],
    }),
  "organizations:CreatePolicy": (input) =>
    resource("aws_organizations_policy", text(input["Name"]), {
      name: input["Name"],
      description: input["Description"],
      type: input["Type"],
      content: input["Content"],
    }),
  "organizations:AttachPolicy": (input) =>
    resource("aws_organizations_policy_attachment", `${text(input["PolicyId"])}-${text(input["TargetId"])}`, {
      policy_id: input["PolicyId"],
      target_id: input["TargetId"],
    }),
  "ecr:CreateRepository": (input) => {
    const { attributes, blocks } = mutability(input);
    const name = text(input["repositoryName"]);
    return repository(name, { ...attributes, tags: tags(input["tags"]) }, [
      ...blocks,
      ...scanning(input["imageScanningConfiguration"]),
      ...encryption(input["encryptionConfiguration"]),
    ]);
  },
  "ecr:PutImageTagMutability": (input) => {
    const { attributes, blocks } = mutability(input);
    return repository(text(input["repositoryName"]), attributes, blocks);
  },
  "ecr:PutImageScanningConfiguration": (input) =>
    repository(text(input["repositoryName"]), {}, scanning(input["imageScanningConfiguration"])),
  "ecr:TagResource": (input) => {
    const arn = text(input["resourceArn"]);
    return repository(arn.slice(arn.indexOf(":repository/") + ":repository/".length), { tags: tags(input["tags"]) });
  },
  "ecr:PutAccountSetting": (input) =>
    resource("aws_ecr_account_setting", text(input["name"]).toLowerCase(), { name: input["name"], value: input["value"] }),
  "ecr:PutRegistryPolicy": (input) => resource("aws_ecr_registry_policy", "this", { policy: input["policyText"] }),
  "ecr:PutRegistryScanningConfiguration": (input) =>
    resource(
      "aws_ecr_registry_scanning_configuration",
      "this",
      { scan_type: input["scanType"] },
      list(input["rules"]).map(object).map((rule) => ({
        head: ["rule"],
        attributes: { scan_frequency: rule["scanFrequency"] },
        blocks: list(rule["repositoryFilters"]).map((filter) => ({
          head: ["repository_filter"],
          attributes: { filter: object(filter)["filter"], filter_type: object(filter)["filterType"] },
        })),
      })),
    ),
  "ecr:CreatePullThroughCacheRule": (input) =>
    resource("aws_ecr_pull_through_cache_rule", text(input["ecrRepositoryPrefix"]), {
      ecr_repository_prefix: input["ecrRepositoryPrefix"],
      upstream_registry_url: input["upstreamRegistryUrl"],
      upstream_repository_prefix: input["upstreamRepositoryPrefix"],
      credential_arn: input["credentialArn"],
      custom_role_arn: input["customRoleArn"],
    }),
  "secretsmanager:CreateSecret": (input) =>
    // Terraform keeps values in its state; they are set outside of it.
    resource("aws_secretsmanager_secret", lastOf(text(input["Name"])), {
      name: input["Name"],
      description: input["Description"],
    }),
  "kms:CreateKey": (input) =>
    resource("aws_kms_key", "this", {
      description: input["Description"],
      policy: input["Policy"],
      tags: keyTags(input["Tags"]),
    }),
  "kms:CreateAlias": (input) =>
    resource("aws_kms_alias", text(input["AliasName"]).replace(/^alias\//, ""), {
      name: input["AliasName"],
      // Of the key that the same change makes.
      target_key_id: text(input["TargetKeyId"]) === "" ? { raw: "aws_kms_key.this.key_id" } : input["TargetKeyId"],
    }),
  "ecr:PutReplicationConfiguration": (input) => {
    const rules = list(object(input["replicationConfiguration"])["rules"]).map(object);
    // The provider knows destinations and filters, and would take the rest away.
    const isKnown = rules.every((rule) => Object.keys(rule).every((name) => ["destinations", "repositoryFilters"].includes(name)));
    if (rules.length === 0 || !isKnown) return [];
    const rule = (one: Input): TerraformBlock => ({
      head: ["rule"],
      attributes: {},
      blocks: [
        ...list(one["destinations"]).map(object).map((place) => ({
          head: ["destination"],
          attributes: { region: place["region"], registry_id: place["registryId"] },
        })),
        ...list(one["repositoryFilters"]).map(object).map((filter) => ({
          head: ["repository_filter"],
          attributes: { filter: filter["filter"], filter_type: filter["filterType"] },
        })),
      ],
    });
    return resource("aws_ecr_replication_configuration", "this", {}, [
      { head: ["replication_configuration"], attributes: {}, blocks: rules.map(rule) },
    ]);
  },
  "ecr:CreateRepositoryCreationTemplate": template,
  "ecr:UpdateRepositoryCreationTemplate": template,
  "ecr:SetRepositoryPolicy": (input) =>
    resource("aws_ecr_repository_policy", text(input["repositoryName"]), {
      repository: input["repositoryName"],
      policy: input["policyText"],
    }),
};

/** The resources of a change. Operations that Terraform has no resource for, such as removals, have none. */
export function resourcesOf(changes: readonly Change[]): TerraformBlock[] {
  const refer: Refer = (type, name) => {
    const maker = MAKERS[type];
    const isMade = changes.some(
      ({ operation, input }) => operation === maker?.operation && input[maker.member] === name && name !== "",
    );
    return isMade ? { raw: `${type}.${label(text(name))}.name` } : text(name);
  };
  return changes.flatMap((change) => MAKE[`${change.service}:${change.operation}`]?.(change.input, refer) ?? []);
}
