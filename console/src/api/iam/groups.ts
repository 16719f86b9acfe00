/** Groups and their members. */

import {
  CreateGroupCommand,
  DeleteGroupCommand,
  GetGroupCommand,
  ListGroupsCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const createGroup = call(CreateGroupCommand);
export const deleteGroup = call(DeleteGroupCommand);
export const getGroup = call(GetGroupCommand);
export const listGroups = call(ListGroupsCommand);
