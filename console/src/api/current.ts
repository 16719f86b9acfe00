/** The session of this page: who is signed in, and credentials that are renewed before they end. */

import type { AwsCredentialIdentity } from "@smithy/types";
import { useSyncExternalStore } from "react";
import { SessionError, fetchSession, switchBack, type Session } from "./session";

/** `unknown` until the server was asked; `ended` when a session was there and is over. */
export type SessionState =
  | { status: "unknown" }
  | { status: "none" }
  | { status: "ended" }
  | { status: "signed-in"; session: Session };

/** Credentials are renewed when less than this is left. */
const RENEW_BEFORE_MS = 3 * 60_000;

let state: SessionState = { status: "unknown" };
let renewal: Promise<Session> | undefined;
let generation = 0;
const listeners = new Set<() => void>();

function change(next: SessionState): void {
  state = next;
  listeners.forEach((listener) => listener());
}

/** Counts sign-ins, role switches and ends: what belongs to one person is not kept for the next. */
export function sessionGeneration(): number {
  return generation;
}

/** Takes a session that a route answered: somebody signed in, or switched the role. */
export function setSession(session: Session): void {
  renewal = undefined;
  generation += 1;
  change({ status: "signed-in", session });
}

/** Forgets the session and its credentials. */
export function dropSession(status: "none" | "ended"): void {
  renewal = undefined;
  generation += 1;
  change({ status });
}

/** Asks the server whether the browser has a session. */
export async function restoreSession(): Promise<void> {
  try {
    setSession(await fetchSession());
  } catch (error) {
    if (isRoleOver(error)) {
      setSession(await switchBack());
      return;
    }
    // A password that must be changed first is asked for at the sign-in.
    if (!(error instanceof SessionError) || (error.status !== 401 && error.code !== "PasswordChangeRequired")) {
      throw error;
    }
    dropSession("none");
  }
}

function isRoleOver(error: unknown): boolean {
  return error instanceof SessionError && error.code === "RoleSessionEnded";
}

async function renew(): Promise<Session> {
  const started = generation;
  try {
    const session = await fetchSession();
    // Somebody else may have signed in meanwhile.
    if (generation === started) change({ status: "signed-in", session });
    return session;
  } catch (error) {
    if (generation === started && isRoleOver(error)) setSession(await switchBack());
    else if (generation === started && error instanceof SessionError && error.status === 401) dropSession("ended");
    // What waits for credentials fails in any case: it was meant for the role, not for who switched to it.
    throw error;
  } finally {
    renewal = undefined;
  }
}

/** Credentials for a call now. Calls at the same time share one renewal. */
export async function credentials(): Promise<AwsCredentialIdentity> {
  if (state.status !== "signed-in") {
    throw new SessionError("NoSession", "You are not signed in.", 401);
  }
  let { session } = state;
  if (Date.parse(session.expiration) - Date.now() < RENEW_BEFORE_MS) {
    renewal ??= renew();
    session = await renewal;
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = session;
  return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiration) };
}

/** The session's region, for clients. */
export function region(): string {
  return state.status === "signed-in" ? state.session.region : "us-east-1";
}

export function useSessionState(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** Who is signed in; only below the frame, which shows the sign-in page to everybody else. */
export function useSession(): Session {
  const now = useSessionState();
  if (now.status !== "signed-in") throw new Error("there is no session");
  return now.session;
}
