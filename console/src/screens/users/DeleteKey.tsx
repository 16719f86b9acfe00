import Box from "@cloudscape-design/components/box";
import { useState } from "react";
import { iamChange, perform } from "../../api/perform";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

interface Props {
  userName: string;
  id: string;
  stale: string[][];
  onClose: () => void;
}

/** Deletes an access key after its id was typed. */
export function DeleteKey({ userName, id, stale, onClose }: Props) {
  const text = strings.users.keys;
  const [typed, setTyped] = useState("");
  const change = iamChange("DeleteAccessKey", { UserName: userName, AccessKeyId: id });
  const action = useAction(() => perform(change), {
    stale,
    said: () => text.deleted(id),
    then: onClose,
  });
  return (
    <Dialog
      title={text.deleteTitle}
      submit={strings.iam.delete}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      isDisabled={typed !== id}
      error={action.error}
      changes={[change]}
    >
      <Box>{text.deleteHint}</Box>
      <Field label={text.confirm(id)} value={typed} onChange={setTyped} placeholder={id} />
    </Dialog>
  );
}
