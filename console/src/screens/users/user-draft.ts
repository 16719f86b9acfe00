/** What the form for a new user holds, and the calls that make the user. */

import type { CreateAccessKeyCommandOutput } from "@aws-sdk/client-iam";
import { iamChange, perform } from "../../api/perform";
import type { Change } from "../../lib/commands/change";
import type { NewCredentials } from "../../lib/credentials-csv";
import { apiTags, grantChanges, type TagPair } from "../../lib/iam-changes";
import { nameProblem, pathProblem, tagsProblem } from "../../lib/names";
import { choiceProblems, hasProblems, noPermissions, type PermissionsChoice } from "../../lib/permissions-choice";
import type { Registry } from "../../lib/policy/templates";

export interface UserDraft {
  name: string;
  path: string;
  tags: TagPair[];
  hasKey: boolean;
  hasPassword: boolean;
  password: string;
  mustReset: boolean;
  groups: string[];
  permissions: PermissionsChoice;
}

export const emptyUser: UserDraft = {
  name: "",
  path: "/",
  tags: [],
  hasKey: true,
  hasPassword: false,
  password: "",
  mustReset: true,
  groups: [],
  permissions: noPermissions,
};

export function isValid(draft: UserDraft): boolean {
  return (
    nameProblem("user", draft.name) === undefined &&
    pathProblem(draft.path) === undefined &&
    tagsProblem(draft.tags) === undefined &&
    !(draft.hasPassword && draft.password === "") &&
    !hasProblems(choiceProblems(draft.permissions))
  );
}

/**
 * The calls that make the user and what belongs to it. The access key comes last: its secret is shown once, so nothing
 * may fail after it.
 */
export function userChanges(draft: UserDraft, registry: Registry): Change[] {
  const UserName = draft.name;
  return [
    iamChange("CreateUser", {
      UserName,
      ...(draft.path === "" || draft.path === "/" ? {} : { Path: draft.path }),
      ...(draft.tags.length === 0 ? {} : { Tags: apiTags(draft.tags) }),
    }),
    ...draft.groups.map((GroupName) => iamChange("AddUserToGroup", { GroupName, UserName })),
    ...grantChanges({ kind: "user", name: UserName }, draft.permissions, registry),
    ...(draft.hasPassword
      ? [
          iamChange("CreateLoginProfile", {
            UserName,
            Password: draft.password,
            PasswordResetRequired: draft.mustReset,
          }),
        ]
      : []),
    ...(draft.hasKey ? [iamChange("CreateAccessKey", { UserName })] : []),
  ];
}

export interface MadeUser {
  credentials: NewCredentials;
  /** What failed after the user was made. */
  failure?: unknown;
}

/** Makes the user and what belongs to it. */
export async function makeUser(draft: UserDraft, registry: Registry): Promise<MadeUser> {
  const credentials: NewCredentials = { userName: draft.name };
  const [user, ...others] = userChanges(draft, registry);
  if (user !== undefined) await perform(user);
  try {
    let answer: unknown;
    for (const change of others) answer = await perform(change);
    if (!draft.hasKey) return { credentials };
    const key = (answer as CreateAccessKeyCommandOutput).AccessKey;
    return {
      credentials: { ...credentials, accessKeyId: key?.AccessKeyId, secretAccessKey: key?.SecretAccessKey },
    };
  } catch (failure) {
    return { credentials, failure };
  }
}
