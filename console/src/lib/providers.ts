// What IAM accepts of identity providers (IAM API Reference, CreateOpenIDConnectProvider, CreateSAMLProvider).

export const THUMBPRINTS_MAX = 5;
export const METADATA_LENGTH_MAX = 10_000_000;

/** What follows the kind in a provider's ARN. */
export const providerName = (arn: string): string => arn.replace(/^.*:(?:oidc|saml)-provider\//, "");

/** An https address without query, fragment and user. */
export function isProviderUrl(text: string): boolean {
  if (text.length > 255 || !/^https:\/\/[^\s?#]+$/.test(text)) return false;
  try {
    const url = new URL(text);
    return url.username === "" && url.password === "";
  } catch {
    return false;
  }
}

export const isThumbprint = (text: string): boolean => /^[0-9A-Fa-f]{40}$/.test(text);

/** The entries of a text with commas, spaces or line breaks between. Colons of thumbprints are left out by `thumbprints`. */
export const entries = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter((part) => part !== ""))];

/** Thumbprints, as tools print them: with or without colons. */
export const thumbprints = (text: string): string[] => entries(text).map((part) => part.replaceAll(":", ""));

export function areThumbprints(list: readonly string[]): boolean {
  return list.length <= THUMBPRINTS_MAX && list.every(isThumbprint);
}
