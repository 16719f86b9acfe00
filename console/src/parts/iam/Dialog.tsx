import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";
import type { Change } from "../../lib/commands/change";
import { strings } from "../../strings";
import { CommandSection } from "../AsCommand";
import { Failure } from "../Failure";

interface Props {
  title: string;
  submit: string;
  onSubmit: () => void;
  onClose: () => void;
  isRunning?: boolean;
  isDisabled?: boolean;
  error?: unknown;
  size?: "medium" | "large" | "max";
  /** The calls that the dialog makes, shown as commands. */
  changes?: Change[];
  children: ReactNode;
}

/** A form in a dialog. Return sends it, as in any form. */
export function Dialog({ title, submit, onSubmit, onClose, isRunning, isDisabled, error, size, changes = [], children }: Props) {
  return (
    <Modal
      visible
      header={title}
      size={size ?? "medium"}
      closeAriaLabel={strings.iam.close}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {strings.iam.cancel}
            </Button>
            <Button variant="primary" loading={isRunning ?? false} disabled={isDisabled ?? false} onClick={onSubmit}>
              {submit}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isRunning !== true && isDisabled !== true) onSubmit();
          }}
        >
          <SpaceBetween size="m">
            {children}
            {error === undefined ? null : <Failure error={error} />}
          </SpaceBetween>
        </form>
        {changes.length === 0 ? null : <CommandSection changes={changes} />}
      </SpaceBetween>
    </Modal>
  );
}
