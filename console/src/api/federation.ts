/** The routes of a sign-in through the company's identity provider. */

import { post } from "./session";

/** A provider that people of an account sign in through. */
export interface Provider {
  kind: "oidc" | "saml";
  name: string;
  key: string;
}

/** Roles that a person who came back may choose from. */
export interface Roles {
  account: string;
  accountAlias?: string;
  roles: { arn: string; name: string }[];
}

export const fetchProviders = async (account: string): Promise<Provider[]> =>
  (await post<{ providers: Provider[] }>("providers", { account })).providers;

/** Begins a sign-in that leads to the address `next`. Answers where the browser must go. */
export const beginFederation = async (account: string, provider: string, next: string): Promise<string> =>
  (await post<{ location: string }>("federation/begin", { account, provider, next })).location;

export const fetchRoles = (): Promise<Roles> => post<Roles>("federation/roles");

/** Chooses a role. Answers the address that the sign-in leads to. */
export const chooseRole = async (role: string): Promise<string> =>
  (await post<{ location: string }>("federation/role", { role })).location;
