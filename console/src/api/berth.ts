/** The client of the `berth` service, for which there is no SDK: JSON 1.1, signed like AWS's own services. */

import { Sha256 } from "@aws-crypto/sha256-js";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { credentials, region } from "./current";

const TARGET_PREFIX = "Berth_20261201";

/** An error of the service, in the form of the SDKs' errors. */
export class BerthError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly $metadata: { httpStatusCode: number; requestId?: string },
  ) {
    super(message);
  }
}

/** Calls an operation of the service. */
export async function berth<Output>(operation: string, input: object = {}, signal?: AbortSignal): Promise<Output> {
  const identity = await credentials();
  const signer = new SignatureV4({ service: "berth", region: region(), credentials: identity, sha256: Sha256 });
  const { host, hostname, port, protocol } = window.location;
  const body = JSON.stringify(input);
  const request = new HttpRequest({
    method: "POST",
    protocol,
    hostname,
    ...(port === "" ? {} : { port: Number(port) }),
    path: "/",
    headers: { host, "content-type": "application/x-amz-json-1.1", "x-amz-target": `${TARGET_PREFIX}.${operation}` },
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
  if (response.ok) return (await response.json()) as Output;
  // A refusal of something in between need not be JSON: its status says what is known.
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const requestId = response.headers.get("x-amzn-requestid") ?? undefined;
  const type = typeof answer["__type"] === "string" ? answer["__type"] : `HTTP ${response.status}`;
  const message = answer["message"] ?? answer["Message"];
  throw new BerthError(
    type.slice(type.lastIndexOf("#") + 1),
    typeof message === "string" ? message : response.statusText,
    { httpStatusCode: response.status, ...(requestId === undefined ? {} : { requestId }) },
  );
}
