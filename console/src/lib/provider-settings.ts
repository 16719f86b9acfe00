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
 * as they were read.
 */
export function settingsChange(providerArn: string, stored: object, form: SettingsForm, kind: "oidc" | "saml"): Change {
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
  return { service: "berth", operation: "PutProviderSettings", input: { providerArn, ...kept, ...shown } };
}

export interface SettingsProblems {
  claims?: boolean;
  keysHost?: boolean;
  bearerToken?: "characters" | "needed";
  /** A certificate needs its key, and a key its certificate. */
  clientKey?: boolean;
}

/** What is wrong with the form (the service's model: ClaimName, HostAndPort, BearerToken). */
export function settingsProblems(form: SettingsForm): SettingsProblems {
  const names = claimNames(form.claims);
  const host = form.keysHost.trim();
  const token = form.bearerToken.trim();
  return {
    ...(names.length > 50 || names.some((name) => !/^[\x21-\x7e]{1,128}$/.test(name)) ? { claims: true } : {}),
    ...(host === "" || /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/.test(host) ? {} : { keysHost: true }),
    ...(/^[\x21-\x7e]*$/.test(token) ? {} : { bearerToken: "characters" }),
    // The host gets the token: the service refuses it without one.
    ...(host !== "" && token === "" ? { bearerToken: "needed" } : {}),
    ...((form.certificate.trim() === "") === (form.clientKey.trim() === "") ? {} : { clientKey: true }),
  };
}

/** Secrets that are stored now, and that the call removes because it does not hold them. */
export function removedSecrets(
  stored: { hasBearerToken?: boolean; hasClientKey?: boolean },
  form: SettingsForm,
): ("bearerToken" | "clientKey")[] {
  return [
    ...(stored.hasBearerToken === true && form.bearerToken.trim() === "" ? (["bearerToken"] as const) : []),
    ...(stored.hasClientKey === true && form.clientKey.trim() === "" ? (["clientKey"] as const) : []),
  ];
}
