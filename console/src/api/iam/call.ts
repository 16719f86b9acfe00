/** Makes a function of a command of IAM's client. */

import type { IAMClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-iam";
import type { Command } from "@smithy/types";
import { iam } from "../clients";

/** `call(GetUserCommand)({ UserName })`; the signal ends a call whose answer nobody waits for any more. */
export function call<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  Operation: new (input: Input) => Command<ServiceInputTypes, Input, ServiceOutputTypes, Output, IAMClientResolvedConfig>,
): (input: Input, signal?: AbortSignal) => Promise<Output> {
  return (input, signal) => iam().send(new Operation(input), signal === undefined ? {} : { abortSignal: signal });
}
