/** The token of a one-time link. It leaves the address at once: addresses are shown, kept and copied. */

const PREFIX = "#link=";

function take(): string | undefined {
  const { hash } = window.location;
  if (!hash.startsWith(PREFIX)) return undefined;
  window.history.replaceState(null, "", "/console/");
  const token = hash.slice(PREFIX.length);
  return token === "" ? undefined : token;
}

/** Read when the page is loaded. */
export const linkToken: string | undefined = take();
