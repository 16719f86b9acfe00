import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useSession } from "../../api/current";
import { credentialsCsv, credentialsFileName, type NewCredentials } from "../../lib/credentials-csv";
import { keyCommands } from "../../lib/key-commands";
import { strings } from "../../strings";
import { CodeBlock } from "../CodeBlock";
import { download } from "../download";
import { Secret } from "../Secret";

/** New credentials: the secret is shown this once, to copy or to save. */
export function KeyShown({ credentials }: { credentials: NewCredentials }) {
  const text = strings.users;
  const { userName, accessKeyId, secretAccessKey } = credentials;
  const { region } = useSession();
  return (
    <SpaceBetween size="m">
      <Alert type="warning">{text.madeHint}</Alert>
      {accessKeyId === undefined ? null : (
        <div role="group" aria-label={text.accessKeyId}>
          <Box variant="awsui-key-label">{text.accessKeyId}</Box>
          <CopyToClipboard
            variant="inline"
            textToCopy={accessKeyId}
            copyButtonAriaLabel={strings.iam.secret.copy(text.accessKeyId)}
            copySuccessText={strings.frame.copied}
            copyErrorText={strings.frame.copyFailed}
          />
        </div>
      )}
      {secretAccessKey === undefined ? null : <Secret label={text.secretAccessKey} value={secretAccessKey} />}
      <Button
        iconName="download"
        onClick={() => download(credentialsFileName(userName), "text/csv", credentialsCsv([credentials]))}
      >
        {text.downloadCsv}
      </Button>
      {accessKeyId === undefined ? null : (
        <div>
          <Box variant="p">{text.keyCommandsHint}</Box>
          <CodeBlock
            code={keyCommands({ userName, region, endpoint: window.location.origin })}
            label={text.keyCommands}
            copyLabel={text.copyKeyCommands}
          />
        </div>
      )}
    </SpaceBetween>
  );
}
