/**
 * A session route's request, and the one that is sent before the console's other scripts have loaded: who is signed
 * in. This module has no imports, so that it runs first.
 */

/** Sends a request to a route of the session. The cookie goes to the page's own origin alone. */
export const send = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`/console/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
  });

export const CREDENTIALS_PATH = "session/credentials";

let early: Promise<Response> | undefined;

/** Asks who is signed in. */
export function startEarly(): void {
  early = send(CREDENTIALS_PATH, "{}");
  // Whoever takes the answer sees the failure.
  early.catch(() => undefined);
}

/** The answer to what was asked early, for the first that wants it. */
export function takeEarly(): Promise<Response> | undefined {
  const taken = early;
  early = undefined;
  return taken;
}
