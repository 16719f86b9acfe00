import Box from "@cloudscape-design/components/box";
import type { QueryKey } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { performAll } from "../../api/perform";
import type { Change } from "../../lib/commands/change";
import { strings } from "../../strings";
import { useAction } from "../useAction";
import { Dialog } from "../Dialog";

export interface Question {
  title: string;
  /** What the change does, where the title does not say it. */
  text?: string;
  /** What the button says; the title, where nothing else is given. */
  submit?: string;
  changes: Change[];
  said: string;
}

interface Props extends Question {
  stale: QueryKey[];
  onClose: () => void;
}

/** Asks before a change that needs no form, and shows it as a command. */
function Confirm({ title, text, submit = title, changes, stale, said, onClose }: Props) {
  const action = useAction(() => performAll(changes), { stale, said: () => said, then: onClose });
  return (
    <Dialog
      title={title}
      submit={submit}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      error={action.error}
      changes={changes}
    >
      <Box>{text ?? strings.iam.confirm}</Box>
    </Dialog>
  );
}

/** A function that asks, and the dialog to render. What the change makes stale is read again after it. */
export function useConfirm(stale: QueryKey[]): { ask: (question: Question) => void; dialog: ReactNode } {
  const [question, setQuestion] = useState<Question>();
  const close = () => setQuestion(undefined);
  const dialog = question === undefined ? null : <Confirm {...question} stale={stale} onClose={close} />;
  return { ask: setQuestion, dialog };
}
