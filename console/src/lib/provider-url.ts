/** Whether a browser may be sent to an identity provider's URL: `https` alone, so that no script runs by a click. */
export function isProviderUrl(text: string): boolean {
  try {
    return new URL(text).protocol === "https:";
  } catch {
    return false;
  }
}

/** The address of a screen, for a sign-in that leads there; the home page for what is none. */
export function wantedAddress({ pathname, search, hash }: { pathname: string; search: string; hash: string }): string {
  const isScreen = pathname.startsWith("/console/") && !pathname.startsWith("/console/federation/");
  const address = `${pathname}${search}${hash}`;
  return isScreen && address.length <= 1024 ? address : "/console/";
}
