import Box from "@cloudscape-design/components/box";
import type { QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import { perform } from "../api/perform";
import { readOnlyChange } from "../lib/read-only";
import { strings } from "../strings";
import { Dialog } from "./Dialog";
import { Field } from "./Field";
import { useAction } from "./useAction";

interface Props {
  isOn: boolean;
  /** The repository that the mode is of; none for the whole server. */
  repositoryName?: string;
  stale: QueryKey[];
  onClose: () => void;
}

/** Begins or ends the read-only mode of the server or of a repository. */
export function ReadOnlyChange({ isOn, repositoryName, stale, onClose }: Props) {
  const text = strings.readOnly;
  const [reason, setReason] = useState("");
  const change = readOnlyChange(!isOn, reason, repositoryName);
  const title = isOn ? text.end : text.begin;
  const save = useAction(() => perform(change), {
    stale,
    said: () => (isOn ? text.ended : text.begun),
    then: onClose,
  });
  return (
    <Dialog
      title={title}
      submit={title}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      error={save.error}
      changes={[change]}
    >
      <Box>{isOn ? strings.iam.confirm : repositoryName === undefined ? text.warning : text.repositoryWarning}</Box>
      {isOn ? null : <Field label={text.reason} value={reason} onChange={setReason} isOptional />}
    </Dialog>
  );
}
