/** What an error says: errors of the SDKs, of the `berth` service and of the session's routes in one form. */

export interface FailureText {
  code: string;
  message: string;
  requestId: string | undefined;
  /** The caller is known and may not do this. */
  isDenial: boolean;
  /** No answer came. */
  isNetwork: boolean;
}

const DENIALS = new Set(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"]);

interface Shape {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  requestId?: unknown;
  $metadata?: { requestId?: unknown };
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

export function describeFailure(error: unknown): FailureText {
  const shape: Shape = typeof error === "object" && error !== null ? error : {};
  // The session's errors have a code of their own; those of the SDKs are named by it.
  const code = text(shape.code) ?? text(shape.name) ?? "Error";
  const requestId = text(shape.requestId) ?? text(shape.$metadata?.requestId);
  return {
    code,
    message: text(shape.message) ?? String(error),
    requestId,
    isDenial: DENIALS.has(code),
    isNetwork: error instanceof TypeError && requestId === undefined,
  };
}

/** Whether trying again may help: a denial or a wrong input stays what it is. */
export function mayRetry(error: unknown): boolean {
  const shape: { $metadata?: { httpStatusCode?: unknown }; status?: unknown } =
    typeof error === "object" && error !== null ? error : {};
  const status = shape.$metadata?.httpStatusCode ?? shape.status;
  return typeof status !== "number" || status >= 500 || status === 429;
}
