import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import type { Change } from "../lib/commands/change";
import { strings } from "../strings";
import { AsCommand } from "./AsCommand";
import { Failure } from "./Failure";
import { Page, type Crumb } from "./Page";

interface Props {
  title: string;
  /** The page above, which Cancel leads to. */
  above: Crumb;
  /** What the button says that sends the form; the title, where nothing else is given. */
  submit?: string;
  onSubmit: () => void;
  isRunning: boolean;
  isDisabled?: boolean;
  error: unknown;
  /** The calls that the form makes, shown as commands while it is filled in. */
  changes: Change[];
  children: ReactNode;
}

/** A page with one form: its fields, what went wrong, and the buttons that cancel and send it. */
export function FormPage({ title, above, submit = title, onSubmit, isRunning, isDisabled = false, error, changes, children }: Props) {
  const navigate = useNavigate();
  return (
    <Page title={title} crumbs={[above]} actions={<AsCommand changes={changes} />}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isRunning && !isDisabled) onSubmit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate(above.to)}>
                {strings.iam.cancel}
              </Button>
              <Button variant="primary" loading={isRunning} disabled={isDisabled}>
                {submit}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {children}
            {error === undefined ? null : <Failure error={error} />}
          </SpaceBetween>
        </Form>
      </form>
    </Page>
  );
}
