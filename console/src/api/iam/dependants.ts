/** Finds what depends on a thing, and makes the plan of its removal. */

import {
  planGroup,
  planInstanceProfile,
  planPolicy,
  planProvider,
  planRole,
  planUser,
  type Plan,
} from "../../lib/cleanup/plan";
import { decodeDocument } from "../../lib/trust/document";
import { hostsOfProfiles } from "../hosts";
import { collect, from, markerOf } from "./collect";
import * as credentials from "./credentials";
import { isGone } from "./gone";
import { getGroup } from "./groups";
import { attachedPolicies, inlinePolicies } from "./holder";
import { listEntitiesForPolicy, listPolicyVersions } from "./policies";
import { getInstanceProfile, listInstanceProfilesForRole, listRoles } from "./roles";
import { listGroupsForUser } from "./users";

const defined = (values: (string | undefined)[]): string[] => values.filter((value) => value !== undefined);

/** `undefined` for what does not exist. */
async function existing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export async function planOfUser(userName: string): Promise<Plan> {
  const UserName = userName;
  const holder = { kind: "user", name: userName } as const;
  const [login, keys, certificates, ssh, service, mfa, inline, attached, groups] = await Promise.all([
    existing(credentials.getLoginProfile({ UserName })),
    collect(async (marker) => {
      const answer = await credentials.listAccessKeys({ UserName, ...from(marker) });
      return { items: (answer.AccessKeyMetadata ?? []).map((key) => key.AccessKeyId), marker: markerOf(answer) };
    }),
    credentials.listSigningCertificates({ UserName }),
    credentials.listSSHPublicKeys({ UserName }),
    credentials.listServiceSpecificCredentials({ UserName }),
    credentials.listMFADevices({ UserName }),
    inlinePolicies(holder),
    attachedPolicies(holder),
    collect(async (marker) => {
      const answer = await listGroupsForUser({ UserName, ...from(marker) });
      return { items: (answer.Groups ?? []).map((group) => group.GroupName), marker: markerOf(answer) };
    }),
  ]);
  return planUser({
    userName,
    hasLoginProfile: login !== undefined,
    accessKeys: defined(keys.items),
    signingCertificates: defined((certificates.Certificates ?? []).map((found) => found.CertificateId)),
    sshPublicKeys: defined((ssh.SSHPublicKeys ?? []).map((found) => found.SSHPublicKeyId)),
    serviceCredentials: defined(
      (service.ServiceSpecificCredentials ?? []).map((found) => found.ServiceSpecificCredentialId),
    ),
    mfaDevices: defined((mfa.MFADevices ?? []).map((found) => found.SerialNumber)),
    inlinePolicies: inline,
    attachedPolicies: attached.map(({ arn }) => arn),
    groups: defined(groups.items),
  });
}

export async function planOfGroup(groupName: string): Promise<Plan> {
  const holder = { kind: "group", name: groupName } as const;
  const [users, inline, attached] = await Promise.all([
    collect(async (marker) => {
      const answer = await getGroup({ GroupName: groupName, ...from(marker) });
      return { items: (answer.Users ?? []).map((user) => user.UserName), marker: markerOf(answer) };
    }),
    inlinePolicies(holder),
    attachedPolicies(holder),
  ]);
  return planGroup({
    groupName,
    users: defined(users.items),
    inlinePolicies: inline,
    attachedPolicies: attached.map(({ arn }) => arn),
  });
}

export async function planOfRole(roleName: string, path: string): Promise<Plan> {
  const holder = { kind: "role", name: roleName } as const;
  const [profiles, inline, attached] = await Promise.all([
    listInstanceProfilesForRole({ RoleName: roleName }),
    inlinePolicies(holder),
    attachedPolicies(holder),
  ]);
  const found = profiles.InstanceProfiles ?? [];
  return planRole({
    roleName,
    path,
    instanceProfiles: defined(found.map((profile) => profile.InstanceProfileName)),
    inlinePolicies: inline,
    attachedPolicies: attached.map(({ arn }) => arn),
    hosts: await hostsOfProfiles(defined(found.map((profile) => profile.Arn))),
  });
}

export async function planOfPolicy(policyArn: string): Promise<Plan> {
  const entities = (PolicyUsageFilter: "PermissionsPolicy" | "PermissionsBoundary") =>
    collect(async (marker) => {
      const answer = await listEntitiesForPolicy({ PolicyArn: policyArn, PolicyUsageFilter, ...from(marker) });
      return { items: [answer], marker: markerOf(answer) };
    });
  const [attached, bounded, versions] = await Promise.all([
    entities("PermissionsPolicy"),
    entities("PermissionsBoundary"),
    collect(async (marker) => {
      const answer = await listPolicyVersions({ PolicyArn: policyArn, ...from(marker) });
      return { items: answer.Versions ?? [], marker: markerOf(answer) };
    }),
  ]);
  const users = (pages: typeof attached) =>
    defined(pages.items.flatMap((page) => (page.PolicyUsers ?? []).map((user) => user.UserName)));
  const roles = (pages: typeof attached) =>
    defined(pages.items.flatMap((page) => (page.PolicyRoles ?? []).map((role) => role.RoleName)));
  const groups = attached.items.flatMap((page) => (page.PolicyGroups ?? []).map((group) => group.GroupName));
  const others = versions.items.filter((version) => version.IsDefaultVersion !== true);
  return planPolicy({
    policyArn,
    users: users(attached),
    groups: defined(groups),
    roles: roles(attached),
    boundaryOfUsers: users(bounded),
    boundaryOfRoles: roles(bounded),
    otherVersions: defined(others.map((version) => version.VersionId)),
  });
}

export async function planOfInstanceProfile(name: string): Promise<Plan> {
  const profile = (await getInstanceProfile({ InstanceProfileName: name })).InstanceProfile;
  return planInstanceProfile({
    instanceProfileName: name,
    roles: defined((profile?.Roles ?? []).map((role) => role.RoleName)),
    hosts: await hostsOfProfiles(defined([profile?.Arn])),
  });
}

/** The roles whose trust policy names the provider. */
export async function planOfProvider(arn: string): Promise<Plan> {
  const roles = await collect(async (marker) => {
    const answer = await listRoles({ MaxItems: 1000, ...from(marker) });
    return { items: answer.Roles ?? [], marker: markerOf(answer) };
  });
  const trusting = roles.items.filter((role) =>
    decodeDocument(role.AssumeRolePolicyDocument ?? "").includes(`"${arn}"`),
  );
  return planProvider({ arn, roles: defined(trusting.map((role) => role.RoleName)), isPartial: roles.isPartial });
}
