/** The form of a provider's settings, and the call that replaces them. */

import type { Change, Json } from "./commands/change";

export const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] as const;

export interface SettingsForm {
  /** As typed, with commas or line breaks between. */
  claims: string;
  keysHost: string;
  authority: string;
  certificate: string;
  algorithms: string[];
  singleUse: boolean;
  /** Secrets are written and never shown. What is empty stays out of the call. */
  bearerToken: string;
  clientKey: string;
}

interface Stored {
  conditionKeyClaims?: string[];
  keysHost?: string;
  certificateAuthority?: string;
  clientCertificate?: string;
  signingAlgorithms?: string[];
  singleUseAssertions?: boolean;
}

export const settingsForm = (stored: Stored): SettingsForm => ({
  claims: (stored.conditionKeyClaims ?? []).join(", "),
  keysHost: stored.keysHost ?? "",
  authority: stored.certificateAuthority ?? "",
  certificate: stored.clientCertificate ?? "",
  algorithms: stored.signingAlgorithms ?? [],
  singleUse: stored.singleUseAssertions ?? false,
  bearerToken: "",
  clientKey: "",
});

export const claimNames = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter((name) => name !== ""))];

/** Members of the answer that are none of the call. */
const READ_ONLY = new Set(["providerArn", "updatedAt", "hasBearerToken", "hasClientKey", "consoleCallbackUrl"]);

/** The members of the answer that a call repeats, so that they stay as they are. */
export const keptMembers = (stored: object): Record<string, Json | undefined> =>
  Object.fromEntries(
    Object.entries(stored as Record<string, Json | undefined>).filter(([name]) => !READ_ONLY.has(name)),
  );

/**
 * The call replaces all settings: a member that is left out is reset. So members that this form does not show are sent
 * as they were read. Secrets that are left out are kept, unless they are to be removed.
 */
export function settingsChange(
  providerArn: string,
  stored: object,
  form: SettingsForm,
  kind: "oidc" | "saml",
  removesSecrets = false,
): Change {
  const kept = keptMembers(stored);
  const text = (value: string) => (value.trim() === "" ? undefined : value.trim());
  const claims = claimNames(form.claims);
  const shown: Record<string, Json | undefined> =
    kind === "saml"
      ? { singleUseAssertions: form.singleUse ? true : undefined }
      : {
          conditionKeyClaims: claims.length === 0 ? undefined : claims,
          keysHost: text(form.keysHost),
          certificateAuthority: text(form.authority),
          clientCertificate: text(form.certificate),
          signingAlgorithms: form.algorithms.length === 0 ? undefined : form.algorithms,
          bearerToken: text(form.bearerToken),
          clientKey: text(form.clientKey),
        };
  const keepSecrets = removesSecrets ? {} : { keepSecrets: true };
  return { service: "berth", operation: "PutProviderSettings", input: { providerArn, ...kept, ...shown, ...keepSecrets } };
}

/** Which secrets are stored, and the members that they belong to. */
export interface StoredSecrets {
  hasBearerToken?: boolean;
  hasClientKey?: boolean;
  keysHost?: string;
  certificateAuthority?: string;
  clientCertificate?: string;
  consoleSignIn?: { hasClientSecret?: boolean };
}

/**
 * Whether the service keeps a secret that is left out: the bearer token for the same hosts and authorities, the client
 * key for the same certificate.
 */
function keeps(stored: StoredSecrets, form: SettingsForm): { bearerToken: boolean; clientKey: boolean } {
  const isSame = (value: string, before: string | undefined) => value.trim() === (before ?? "").trim();
  return {
    bearerToken:
      stored.hasBearerToken === true &&
      isSame(form.keysHost, stored.keysHost) &&
      isSame(form.authority, stored.certificateAuthority),
    clientKey: stored.hasClientKey === true && isSame(form.certificate, stored.clientCertificate),
  };
}

export type SecretName = "bearerToken" | "clientKey" | "clientSecret";

/** Stored secrets without a new value in the form. */
export function storedSecrets(stored: StoredSecrets, form: SettingsForm): SecretName[] {
  return [
    ...(stored.hasBearerToken === true && form.bearerToken.trim() === "" ? (["bearerToken"] as const) : []),
    ...(stored.hasClientKey === true && form.clientKey.trim() === "" ? (["clientKey"] as const) : []),
    ...(stored.consoleSignIn?.hasClientSecret === true ? (["clientSecret"] as const) : []),
  ];
}

/** Stored secrets that the call removes although it keeps secrets: what they belong to has changed. */
export function lostSecrets(stored: StoredSecrets, form: SettingsForm): SecretName[] {
  const kept = keeps(stored, form);
  return storedSecrets(stored, form).filter((name) => name !== "clientSecret" && !kept[name]);
}

export interface SettingsProblems {
  claims?: boolean;
  keysHost?: boolean;
  bearerToken?: "characters" | "needed";
  /** A certificate needs its key, and a key its certificate. */
  clientKey?: boolean;
}

/** What is wrong with the form (the service's model: ClaimName, HostAndPort, BearerToken). */
export function settingsProblems(stored: StoredSecrets, form: SettingsForm, removesSecrets: boolean): SettingsProblems {
  const names = claimNames(form.claims);
  const host = form.keysHost.trim();
  const token = form.bearerToken.trim();
  const kept = removesSecrets ? { bearerToken: false, clientKey: false } : keeps(stored, form);
  const hasKey = form.clientKey.trim() !== "" || kept.clientKey;
  return {
    ...(names.length > 50 || names.some((name) => !/^[\x21-\x7e]{1,128}$/.test(name)) ? { claims: true } : {}),
    ...(host === "" || /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/.test(host) ? {} : { keysHost: true }),
    ...(/^[\x21-\x7e]*$/.test(token) ? {} : { bearerToken: "characters" }),
    // The host gets the token: the service refuses it without one.
    ...(host !== "" && token === "" && !kept.bearerToken ? { bearerToken: "needed" } : {}),
    ...((form.certificate.trim() !== "") === hasKey ? {} : { clientKey: true }),
  };
}
