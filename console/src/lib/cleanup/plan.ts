// What has to go before a thing can be deleted, in the order in which IAM and ECR accept it (IAM User
// Guide, "Remove or deactivate an IAM user", "Delete roles or instance profiles"; IAM API Reference,
// DeleteGroup, DeletePolicy). Each step is one API call that a person could make.

import type { Change } from "../commands/change";

/** One call: its service and operation, its input, and the thing that it removes. */
export interface Step {
  readonly action: string;
  readonly input: Readonly<Record<string, string | boolean>>;
  /** What the step removes or detaches, for the list. */
  readonly target: string;
  /** A step that gives somebody more permissions than before. */
  readonly widens?: boolean;
}

/** The call of a step. Its input has the members of the operation that its action names: plans build both together. */
export function changeOf({ action, input }: Step): Change {
  const [service = "", operation = ""] = action.split(":");
  return { service, operation, input };
}

/** Something that stays and stops working. */
export interface Note {
  readonly kind: "rolesTrustProvider" | "hostsUseProfile" | "moreNotListed";
  readonly names: readonly string[];
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly notes: readonly Note[];
}

export interface UserDependants {
  readonly userName: string;
  readonly hasLoginProfile: boolean;
  readonly accessKeys: readonly string[];
  readonly signingCertificates: readonly string[];
  readonly sshPublicKeys: readonly string[];
  readonly serviceCredentials: readonly string[];
  /** Serial numbers; those of virtual devices are deleted as well. */
  readonly mfaDevices: readonly string[];
  readonly inlinePolicies: readonly string[];
  readonly attachedPolicies: readonly string[];
  readonly groups: readonly string[];
}

export function planUser(user: UserDependants): Plan {
  const UserName = user.userName;
  const each = (
    names: readonly string[],
    action: string,
    key: string,
    input: Readonly<Record<string, string>> = { UserName },
  ): Step[] => names.map((name) => ({ action, input: { ...input, [key]: name }, target: name }));
  const mfa = user.mfaDevices.flatMap((serial): Step[] => [
    { action: "iam:DeactivateMFADevice", input: { UserName, SerialNumber: serial }, target: serial },
    ...(isVirtualDevice(serial)
      ? [{ action: "iam:DeleteVirtualMFADevice", input: { SerialNumber: serial }, target: serial }]
      : []),
  ]);
  const login = user.hasLoginProfile
    ? [{ action: "iam:DeleteLoginProfile", input: { UserName }, target: UserName }]
    : [];
  return {
    steps: [
      ...login,
      ...each(user.accessKeys, "iam:DeleteAccessKey", "AccessKeyId"),
      ...each(user.signingCertificates, "iam:DeleteSigningCertificate", "CertificateId"),
      ...each(user.sshPublicKeys, "iam:DeleteSSHPublicKey", "SSHPublicKeyId"),
      ...each(
        user.serviceCredentials,
        "iam:DeleteServiceSpecificCredential",
        "ServiceSpecificCredentialId",
      ),
      ...mfa,
      ...each(user.inlinePolicies, "iam:DeleteUserPolicy", "PolicyName"),
      ...each(user.attachedPolicies, "iam:DetachUserPolicy", "PolicyArn"),
      ...each(user.groups, "iam:RemoveUserFromGroup", "GroupName"),
      { action: "iam:DeleteUser", input: { UserName }, target: UserName },
    ],
    notes: [],
  };
}

function isVirtualDevice(serial: string): boolean {
  return /^arn:[^:]+:iam::[0-9]{12}:mfa\//.test(serial);
}

export interface GroupDependants {
  readonly groupName: string;
  readonly users: readonly string[];
  readonly inlinePolicies: readonly string[];
  readonly attachedPolicies: readonly string[];
}

export function planGroup(group: GroupDependants): Plan {
  const GroupName = group.groupName;
  const steps: Step[] = [
    ...group.users.map((name) => ({
      action: "iam:RemoveUserFromGroup",
      input: { GroupName, UserName: name },
      target: name,
    })),
    ...group.attachedPolicies.map((arn) => ({
      action: "iam:DetachGroupPolicy",
      input: { GroupName, PolicyArn: arn },
      target: arn,
    })),
    ...group.inlinePolicies.map((name) => ({
      action: "iam:DeleteGroupPolicy",
      input: { GroupName, PolicyName: name },
      target: name,
    })),
    { action: "iam:DeleteGroup", input: { GroupName }, target: GroupName },
  ];
  return { steps, notes: [] };
}

export interface RoleDependants {
  readonly roleName: string;
  readonly path: string;
  readonly instanceProfiles: readonly string[];
  readonly inlinePolicies: readonly string[];
  readonly attachedPolicies: readonly string[];
  /** Ids of hosts that get the role's credentials. */
  readonly hosts: readonly string[];
}

export function planRole(role: RoleDependants): Plan {
  const RoleName = role.roleName;
  // The service's own call checks that the service no longer uses the role (IAM User Guide, "Delete a
  // service-linked role"); the others are refused for such a role.
  if (role.path.startsWith("/aws-service-role/")) {
    return {
      steps: [{ action: "iam:DeleteServiceLinkedRole", input: { RoleName }, target: RoleName }],
      notes: [],
    };
  }
  const profiles = role.instanceProfiles.flatMap((name): Step[] => {
    const InstanceProfileName = name;
    const remove = {
      action: "iam:RemoveRoleFromInstanceProfile",
      input: { InstanceProfileName, RoleName },
      target: name,
    };
    // The console makes a profile with the role's name and deletes it with the role, as AWS's does (IAM User
    // Guide, "Delete roles or instance profiles").
    if (name !== RoleName) return [remove];
    const erase = { action: "iam:DeleteInstanceProfile", input: { InstanceProfileName }, target: name };
    return [remove, erase];
  });
  const steps: Step[] = [
    ...profiles,
    ...role.attachedPolicies.map((arn) => ({
      action: "iam:DetachRolePolicy",
      input: { RoleName, PolicyArn: arn },
      target: arn,
    })),
    ...role.inlinePolicies.map((name) => ({
      action: "iam:DeleteRolePolicy",
      input: { RoleName, PolicyName: name },
      target: name,
    })),
    { action: "iam:DeleteRole", input: { RoleName }, target: RoleName },
  ];
  return { steps, notes: note("hostsUseProfile", role.hosts) };
}

export interface PolicyDependants {
  readonly policyArn: string;
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly boundaryOfUsers: readonly string[];
  readonly boundaryOfRoles: readonly string[];
  /** Versions other than the default one. */
  readonly otherVersions: readonly string[];
}

export function planPolicy(policy: PolicyDependants): Plan {
  const PolicyArn = policy.policyArn;
  const detach = (names: readonly string[], action: string, key: string): Step[] =>
    names.map((name) => ({ action, input: { [key]: name, PolicyArn }, target: name }));
  // Without its boundary, a user or role has all that its policies allow.
  const unbound = (names: readonly string[], action: string, key: string): Step[] =>
    names.map((name) => ({ action, input: { [key]: name }, target: name, widens: true }));
  return {
    steps: [
      ...detach(policy.users, "iam:DetachUserPolicy", "UserName"),
      ...detach(policy.groups, "iam:DetachGroupPolicy", "GroupName"),
      ...detach(policy.roles, "iam:DetachRolePolicy", "RoleName"),
      ...unbound(policy.boundaryOfUsers, "iam:DeleteUserPermissionsBoundary", "UserName"),
      ...unbound(policy.boundaryOfRoles, "iam:DeleteRolePermissionsBoundary", "RoleName"),
      ...policy.otherVersions.map((id) => ({
        action: "iam:DeletePolicyVersion",
        input: { PolicyArn, VersionId: id },
        target: id,
      })),
      { action: "iam:DeletePolicy", input: { PolicyArn }, target: PolicyArn },
    ],
    notes: [],
  };
}

export interface InstanceProfileDependants {
  readonly instanceProfileName: string;
  readonly roles: readonly string[];
  readonly hosts: readonly string[];
}

export function planInstanceProfile(profile: InstanceProfileDependants): Plan {
  const InstanceProfileName = profile.instanceProfileName;
  const steps: Step[] = [
    ...profile.hosts.map((id) => ({ action: "berth:RevokeHost", input: { hostId: id }, target: id })),
    ...profile.roles.map((name) => ({
      action: "iam:RemoveRoleFromInstanceProfile",
      input: { InstanceProfileName, RoleName: name },
      target: name,
    })),
    {
      action: "iam:DeleteInstanceProfile",
      input: { InstanceProfileName },
      target: InstanceProfileName,
    },
  ];
  return { steps, notes: [] };
}

export interface ProviderDependants {
  readonly arn: string;
  /** Roles whose trust policy names the provider: they stay, and nobody can assume them through it. */
  readonly roles: readonly string[];
  /** Whether there are more roles than were looked at. */
  readonly isPartial: boolean;
}

export function planProvider(provider: ProviderDependants): Plan {
  const isSaml = provider.arn.includes(":saml-provider/");
  const step: Step = isSaml
    ? {
        action: "iam:DeleteSAMLProvider",
        input: { SAMLProviderArn: provider.arn },
        target: provider.arn,
      }
    : {
        action: "iam:DeleteOpenIDConnectProvider",
        input: { OpenIDConnectProviderArn: provider.arn },
        target: provider.arn,
      };
  const notes = note("rolesTrustProvider", provider.roles);
  return {
    steps: [step],
    notes: provider.isPartial ? [...notes, { kind: "moreNotListed", names: [] }] : notes,
  };
}

export interface RepositoryDependants {
  readonly repositoryName: string;
  readonly imageCount: number;
  readonly hasPolicy: boolean;
}

/** ECR deletes the images of a repository with it, when it is told to (`force`). */
export function planRepository(repository: RepositoryDependants): Plan {
  const repositoryName = repository.repositoryName;
  const steps: Step[] = [];
  if (repository.hasPolicy) {
    steps.push({
      action: "ecr:DeleteRepositoryPolicy",
      input: { repositoryName },
      target: repositoryName,
    });
  }
  steps.push({
    action: "ecr:DeleteRepository",
    input: { repositoryName, force: repository.imageCount > 0 },
    target: repositoryName,
  });
  return { steps, notes: [] };
}

function note(kind: Note["kind"], names: readonly string[]): Note[] {
  return names.length === 0 ? [] : [{ kind, names }];
}
