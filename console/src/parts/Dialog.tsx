import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useId, type ReactNode } from "react";
import type { Change } from "../lib/commands/change";
import { strings } from "../strings";
import { CommandSection } from "./AsCommand";
import { Failure } from "./Failure";

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

/** A form in a dialog. The button below submits it, and so does Return in a field. */
export function Dialog({ title, submit, onSubmit, onClose, isRunning, isDisabled, error, size, changes = [], children }: Props) {
  const form = useId();
  return (
    <Modal
      visible
      header={title}
      size={size ?? "medium"}
      closeAriaLabel={strings.frame.close}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {strings.frame.cancel}
            </Button>
            <Button variant="primary" form={form} loading={isRunning ?? false} disabled={isDisabled ?? false}>
              {submit}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <form
          id={form}
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
