/** What the form for a new user holds, and the calls that make the user. */

import type { TagPair } from "../../api/iam/holder";
import { createAccessKey, createLoginProfile } from "../../api/iam/credentials";
import { grant } from "../../api/iam/grant";
import { addUserToGroup, createUser } from "../../api/iam/users";
import type { NewCredentials } from "../../lib/credentials-csv";
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

export interface MadeUser {
  credentials: NewCredentials;
  /** What failed after the user was made. */
  failure?: unknown;
}

/**
 * Makes the user and what belongs to it. The access key comes last: its secret is shown once, so nothing may fail
 * after it.
 */
export async function makeUser(draft: UserDraft, registry: Registry): Promise<MadeUser> {
  const UserName = draft.name;
  const Tags = draft.tags.map(({ key, value }) => ({ Key: key, Value: value }));
  const credentials: NewCredentials = { userName: UserName };
  await createUser({
    UserName,
    ...(draft.path === "" || draft.path === "/" ? {} : { Path: draft.path }),
    ...(Tags.length === 0 ? {} : { Tags }),
  });
  try {
    for (const GroupName of draft.groups) await addUserToGroup({ GroupName, UserName });
    await grant({ kind: "user", name: UserName }, draft.permissions, registry);
    if (draft.hasPassword) {
      await createLoginProfile({ UserName, Password: draft.password, PasswordResetRequired: draft.mustReset });
    }
    if (!draft.hasKey) return { credentials };
    const key = (await createAccessKey({ UserName })).AccessKey;
    return {
      credentials: { ...credentials, accessKeyId: key?.AccessKeyId, secretAccessKey: key?.SecretAccessKey },
    };
  } catch (failure) {
    return { credentials, failure };
  }
}
