import { useState, type SyntheticEvent } from "react";
import { setSession } from "../../api/current";
import { SessionError, type Session } from "../../api/session";
import { describeFailure } from "../../lib/failure";
import { strings } from "../../strings";

export interface Attempt {
  isWaiting: boolean;
  /** What went wrong the last time, as a text for people. */
  errorText: string | undefined;
  /** The server's code of the last refusal. */
  code: string | undefined;
  /** Handles a form's submission. */
  submit: (event: SyntheticEvent) => void;
}

/** One form of the sign-in page: its call, and what came of it. */
export function useAttempt(call: () => Promise<Session>): Attempt {
  const [isWaiting, setIsWaiting] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const run = async () => {
    setIsWaiting(true);
    setFailure(undefined);
    try {
      setSession(await call());
    } catch (error) {
      setFailure(error);
      setIsWaiting(false);
    }
  };
  const described = failure === undefined ? undefined : describeFailure(failure);
  const wait = failure instanceof SessionError ? failure.retryAfter : undefined;
  const parts = [
    described?.isNetwork === true ? strings.frame.failure.network : described?.message,
    wait === undefined ? undefined : strings.signIn.retryIn(wait),
  ];
  return {
    isWaiting,
    errorText: described === undefined ? undefined : parts.filter((part) => part !== undefined).join(" "),
    code: described?.code,
    submit: (event) => {
      event.preventDefault();
      if (!isWaiting) void run();
    },
  };
}
