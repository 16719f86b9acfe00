/** The account: alias, password policy, what services were used. */

import {
  CreateAccountAliasCommand,
  DeleteAccountAliasCommand,
  DeleteAccountPasswordPolicyCommand,
  GenerateServiceLastAccessedDetailsCommand,
  GetAccountPasswordPolicyCommand,
  GetServiceLastAccessedDetailsCommand,
  ListAccountAliasesCommand,
  UpdateAccountPasswordPolicyCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const createAccountAlias = call(CreateAccountAliasCommand);
export const deleteAccountAlias = call(DeleteAccountAliasCommand);
export const deleteAccountPasswordPolicy = call(DeleteAccountPasswordPolicyCommand);
export const generateServiceLastAccessedDetails = call(GenerateServiceLastAccessedDetailsCommand);
export const getAccountPasswordPolicy = call(GetAccountPasswordPolicyCommand);
export const getServiceLastAccessedDetails = call(GetServiceLastAccessedDetailsCommand);
export const listAccountAliases = call(ListAccountAliasesCommand);
export const updateAccountPasswordPolicy = call(UpdateAccountPasswordPolicyCommand);
