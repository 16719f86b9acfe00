/** Settings of identity providers that IAM has no member for: operations of the `berth` service. */

import type { Change, Json } from "../lib/commands/change";
import { berth } from "./berth";
import { perform } from "./perform";

/** The settings as the service shows them: without secrets, and with members that this console may not know. */
export interface ProviderSettings {
  providerArn: string;
  updatedAt?: number;
  conditionKeyClaims?: string[];
  keysHost?: string;
  certificateAuthority?: string;
  clientCertificate?: string;
  signingAlgorithms?: string[];
  singleUseAssertions?: boolean;
  hasBearerToken?: boolean;
  hasClientKey?: boolean;
  /** How people sign in to the console through the provider; absent where they do not. */
  consoleSignIn?: { displayName?: string; clientId?: string; hasClientSecret?: boolean; scopes?: string[] };
  /** What is registered at the provider for that. */
  consoleCallbackUrl?: string;
}

export const providerSettings = async (providerArn: string): Promise<ProviderSettings> =>
  (await berth<{ settings: ProviderSettings }>("GetProviderSettings", { providerArn })).settings;

/** Somebody else changed the settings since the edit began. */
export class SettingsChanged extends Error {
  override readonly name = "SettingsChanged";
}

/** Replaces the settings, unless they changed since they were read. */
export async function replaceSettings(read: ProviderSettings, change: Change, message: string): Promise<void> {
  const now: Record<string, Json | undefined> = { ...(await providerSettings(read.providerArn)) };
  const before: Record<string, Json | undefined> = { ...read };
  const names = new Set([...Object.keys(now), ...Object.keys(before)]);
  if ([...names].some((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]))) {
    throw new SettingsChanged(message);
  }
  await perform(change);
}
