/** Users, what hangs on them, and their groups. */

import {
  AddUserToGroupCommand,
  CreateUserCommand,
  DeleteUserCommand,
  GetUserCommand,
  ListGroupsForUserCommand,
  ListUserTagsCommand,
  ListUsersCommand,
  RemoveUserFromGroupCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateUserCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const addUserToGroup = call(AddUserToGroupCommand);
export const createUser = call(CreateUserCommand);
export const deleteUser = call(DeleteUserCommand);
export const getUser = call(GetUserCommand);
export const listGroupsForUser = call(ListGroupsForUserCommand);
export const listUserTags = call(ListUserTagsCommand);
export const listUsers = call(ListUsersCommand);
export const removeUserFromGroup = call(RemoveUserFromGroupCommand);
export const tagUser = call(TagUserCommand);
export const untagUser = call(UntagUserCommand);
export const updateUser = call(UpdateUserCommand);
