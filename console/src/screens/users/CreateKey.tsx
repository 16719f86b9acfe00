import Box from "@cloudscape-design/components/box";
import type { CreateAccessKeyCommandOutput } from "@aws-sdk/client-iam";
import { iamChange, perform } from "../../api/perform";
import type { NewCredentials } from "../../lib/credentials-csv";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

interface Props {
  userName: string;
  stale: string[][];
  onMade: (credentials: NewCredentials) => void;
  onClose: () => void;
}

/** Makes an access key. */
export function CreateKey({ userName, stale, onMade, onClose }: Props) {
  const text = strings.users.keys;
  const change = iamChange("CreateAccessKey", { UserName: userName });
  const create = useAction(() => perform(change) as Promise<CreateAccessKeyCommandOutput>, {
    stale,
    then: ({ AccessKey: key }) => {
      onMade({ userName, accessKeyId: key?.AccessKeyId, secretAccessKey: key?.SecretAccessKey });
      onClose();
    },
  });
  return (
    <Dialog
      title={text.create}
      submit={text.create}
      onSubmit={() => create.run(undefined)}
      onClose={onClose}
      isRunning={create.isRunning}
      error={create.error}
      changes={[change]}
    >
      <Box>{strings.users.programmaticHint}</Box>
    </Dialog>
  );
}
