import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { perform } from "../../api/perform";
import { createSecret, isSecretName } from "../../lib/pull-through";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { SECRETS } from "./queries";

const text = strings.pullThrough;

interface Props {
  /** The name that is proposed. */
  name: string;
  onCreated: (arn: string) => void;
  onClose: () => void;
}

/** Makes a secret with a user name and an access token. */
export function CreateSecret({ name: proposed, onCreated, onClose }: Props) {
  const [name, setName] = useState(proposed);
  const [userName, setUserName] = useState("");
  const [accessToken, setAccessToken] = useState("");
  const change = createSecret({ name, userName, accessToken });
  const isName = isSecretName(name.trim());
  const create = useAction(() => perform(change) as Promise<{ ARN: string }>, {
    stale: [SECRETS],
    said: () => text.secretCreated,
    then: ({ ARN }) => {
      onCreated(ARN);
      onClose();
    },
  });
  return (
    <Dialog
      title={text.createSecret}
      submit={text.createSecret}
      onSubmit={() => create.run(undefined)}
      onClose={onClose}
      isRunning={create.isRunning}
      isDisabled={!isName || userName.trim() === "" || accessToken === ""}
      error={create.error}
      changes={[change]}
    >
      <SpaceBetween size="m">
        <Field
          label={text.secretName}
          value={name}
          onChange={setName}
          constraint={text.secretNameHint}
          error={name.trim() === "" || isName ? undefined : text.secretNameError}
        />
        <Field label={text.userName} value={userName} onChange={setUserName} />
        <Field
          label={text.accessToken}
          value={accessToken}
          onChange={setAccessToken}
          type="password"
          constraint={text.accessTokenHint}
        />
      </SpaceBetween>
    </Dialog>
  );
}
