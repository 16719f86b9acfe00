import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";
import type { Attempt } from "./useAttempt";

interface Props {
  attempt: Attempt;
  submitText: string;
  /** Said in place of the server's words. */
  errorText?: string;
  children: ReactNode;
}

/** A form of the sign-in page. What went wrong is announced. */
export function AttemptForm({ attempt, submitText, errorText, children }: Props) {
  const error = errorText ?? attempt.errorText;
  return (
    <form onSubmit={attempt.submit}>
      <Form
        actions={
          <Button variant="primary" loading={attempt.isWaiting} formAction="submit">
            {submitText}
          </Button>
        }
        {...(error === undefined ? {} : { errorText: error })}
      >
        <SpaceBetween size="m">{children}</SpaceBetween>
      </Form>
    </form>
  );
}
