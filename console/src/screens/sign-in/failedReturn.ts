/** What the page left behind that a browser comes back to from an identity provider: a code of why it failed. */

const PREFIX = "#sign-in-failed=";
const WANTED = "berth-wanted-address";

export interface Failed {
  code: string;
  requestId: string;
}

/** Remembers the address that a sign-in is to lead to, for the case that it fails. It is no secret. */
export function rememberAddress(address: string): void {
  window.sessionStorage.setItem(WANTED, address);
}

function take(): Failed | undefined {
  const { hash } = window.location;
  if (!hash.startsWith(PREFIX)) return undefined;
  const fields = new URLSearchParams(hash.slice(1));
  const wanted = window.sessionStorage.getItem(WANTED) ?? "";
  // An address of this page's own, whoever wrote it.
  window.history.replaceState(null, "", /^\/console\/(?!federation)/.test(wanted) ? wanted : "/console/");
  return { code: fields.get("sign-in-failed") ?? "", requestId: (fields.get("request") ?? "").slice(0, 64) };
}

/** Read when the page is loaded. */
export const failedReturn: Failed | undefined = take();

/** Whether a person who came back chooses a role. */
export const isChoosingRole: boolean = window.location.pathname === "/console/federation/roles";
