/**
 * Services that are called without an SDK: JSON 1.1, signed like the SDKs do. `berth` has none; of others the console
 * needs so little that an SDK would cost more than it brings, or members that the SDK does not know yet.
 */

import { Sha256 } from "@aws-crypto/sha256-js";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { credentials, region } from "./current";

/** An error of a service, in the form of the SDKs' errors. */
export class ServiceError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly $metadata: { httpStatusCode: number; requestId?: string },
  ) {
    super(message);
  }
}

/** Calls an operation of a service. */
export type ServiceCall = <Output>(operation: string, input?: object, signal?: AbortSignal) => Promise<Output>;

/** The calls of a service, by its name in signatures and what its operations are called by. */
export const jsonService =
  (service: string, targetPrefix: string): ServiceCall =>
  <Output>(operation: string, input: object = {}, signal?: AbortSignal) =>
    call<Output>(service, `${targetPrefix}.${operation}`, input, signal);

async function call<Output>(service: string, target: string, input: object, signal?: AbortSignal): Promise<Output> {
  const identity = await credentials();
  const signer = new SignatureV4({ service, region: region(), credentials: identity, sha256: Sha256 });
  const { host, hostname, port, protocol } = window.location;
  const body = JSON.stringify(input);
  const request = new HttpRequest({
    method: "POST",
    protocol,
    hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    path: "/",
    headers: { host, "content-type": "application/x-amz-json-1.1", "x-amz-target": target },
    body,
  });
  const { headers } = await signer.sign(request);
  // The browser sets this one itself.
  delete headers["host"];
  const response = await fetch("/", {
    method: "POST",
    headers,
    body,
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) {
    // Operations of KMS that answer nothing have no body.
    const text = await response.text();
    return (text === "" && service === "kms" ? {} : JSON.parse(text)) as Output;
  }
  // A refusal of something in between need not be JSON: its status says what is known.
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const requestId = response.headers.get("x-amzn-requestid") ?? undefined;
  const type = typeof answer["__type"] === "string" ? answer["__type"] : `HTTP ${response.status}`;
  const message = answer["message"] ?? answer["Message"];
  throw new ServiceError(
    type.slice(type.lastIndexOf("#") + 1),
    typeof message === "string" ? message : response.statusText,
    { httpStatusCode: response.status, ...(requestId === undefined ? {} : { requestId }) },
  );
}
