/** Identity providers: OpenID Connect and SAML 2.0. */

import {
  AddClientIDToOpenIDConnectProviderCommand,
  CreateOpenIDConnectProviderCommand,
  CreateSAMLProviderCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteSAMLProviderCommand,
  GetOpenIDConnectProviderCommand,
  GetSAMLProviderCommand,
  ListOpenIDConnectProvidersCommand,
  ListSAMLProvidersCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
  UpdateSAMLProviderCommand,
} from "@aws-sdk/client-iam";
import { call } from "./call";

export const addClientIDToOpenIDConnectProvider = call(AddClientIDToOpenIDConnectProviderCommand);
export const createOpenIDConnectProvider = call(CreateOpenIDConnectProviderCommand);
export const createSAMLProvider = call(CreateSAMLProviderCommand);
export const deleteOpenIDConnectProvider = call(DeleteOpenIDConnectProviderCommand);
export const deleteSAMLProvider = call(DeleteSAMLProviderCommand);
export const getOpenIDConnectProvider = call(GetOpenIDConnectProviderCommand);
export const getSAMLProvider = call(GetSAMLProviderCommand);
export const listOpenIDConnectProviders = call(ListOpenIDConnectProvidersCommand);
export const listSAMLProviders = call(ListSAMLProvidersCommand);
export const removeClientIDFromOpenIDConnectProvider = call(RemoveClientIDFromOpenIDConnectProviderCommand);
export const updateOpenIDConnectProviderThumbprint = call(UpdateOpenIDConnectProviderThumbprintCommand);
export const updateSAMLProvider = call(UpdateSAMLProviderCommand);
