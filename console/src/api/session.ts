/**
 * The routes of the console's session. The cookie opens these routes alone; every other call of the console is signed
 * with the credentials that they answer, which stay in this page's memory.
 */

import { Sha256 } from "@aws-crypto/sha256-js";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { CREDENTIALS_PATH, send, takeEarly } from "./early";

/** Who is signed in, and credentials for a quarter of an hour. */
export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When the credentials end, in ISO 8601. */
  expiration: string;
  account: string;
  accountAlias?: string;
  partition: string;
  region: string;
  arn: string;
  name: string;
  kind: "root" | "user" | "role";
  mfa: boolean;
  /** The host and port that images are pushed to. */
  registry: string;
  switched?: { displayName: string; color: string; from: string };
  /** When the session ends, in ISO 8601. */
  sessionEnds: string;
}

export type SignIn =
  | { kind: "user"; account: string; user: string; password: string; mfaCode?: string }
  | { kind: "root"; account: string; password: string; mfaCode?: string }
  | { kind: "link"; token: string; mfaCode?: string };

/** A refusal of a session route. */
export class SessionError extends Error {
  override readonly name = "SessionError";

  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    /** In seconds, where the server says when to try again. */
    readonly retryAfter?: number,
    readonly requestId?: string,
  ) {
    super(message);
  }
}

async function call<T>(path: string, body: string, headers?: Record<string, string>): Promise<T> {
  return answer<T>(await send(path, body, headers));
}

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) {
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
  const refusal = (await response.json().catch(() => ({}))) as {
    code?: unknown;
    message?: unknown;
    requestId?: unknown;
  };
  const code = typeof refusal.code === "string" ? refusal.code : `HTTP ${response.status}`;
  const message = typeof refusal.message === "string" ? refusal.message : response.statusText;
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  throw new SessionError(
    code,
    message,
    response.status,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
    // An operation that was denied on the way has an id of its own.
    typeof refusal.requestId === "string"
      ? refusal.requestId
      : (response.headers.get("x-amzn-requestid") ?? undefined),
  );
}

export const post = <T>(path: string, body: object = {}): Promise<T> => call<T>(path, JSON.stringify(body));

export const signIn = (request: SignIn): Promise<Session> => post<Session>("session", request);

/** Signs in by an access key. The key signs the request, so the secret stays in the page. */
export async function signInByKey(
  accessKeyId: string,
  secretAccessKey: string,
  region: string,
  mfaCode?: string,
): Promise<Session> {
  const body = JSON.stringify({ kind: "key", ...(mfaCode === undefined ? {} : { mfaCode }) });
  const signer = new SignatureV4({
    service: "signin",
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
  });
  const { host, hostname, port, protocol } = window.location;
  const request = new HttpRequest({
    method: "POST",
    protocol,
    hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    path: "/console/session",
    headers: { host, "content-type": "application/json" },
    body,
  });
  const { headers } = await signer.sign(request);
  // The browser sets this one itself.
  delete headers["host"];
  return call<Session>("session", body, headers);
}

/** New credentials of the session; refused with `NoSession` where there is none. */
export async function fetchSession(): Promise<Session> {
  const early = takeEarly();
  return early === undefined ? post<Session>(CREDENTIALS_PATH) : answer<Session>(await early);
}

export const switchRole = (role: {
  account: string;
  role: string;
  displayName?: string;
  color?: string;
}): Promise<Session> => post<Session>("session/role", role);

export const switchBack = (): Promise<Session> => post<Session>("session/role/back");

export const endSession = (): Promise<void> => post<undefined>("session/end");

/** Sets another password, where that was demanded at the sign-in. */
export const changePassword = (change: { oldPassword: string; newPassword: string }): Promise<Session> => post<Session>("session/password", change);
