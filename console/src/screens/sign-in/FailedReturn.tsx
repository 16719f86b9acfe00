import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import { strings } from "../../strings";
import type { Failed } from "./failedReturn";

/** Why a sign-in through an identity provider failed, in plain words. */
export function FailedReturn({ code, requestId }: Failed) {
  const text = strings.companySignIn.failed;
  const codes: Record<string, string> = text.codes;
  return (
    <Alert type="error" header={text.title}>
      {Object.hasOwn(codes, code) ? codes[code] : text.unknown}
      {requestId === "" ? null : <Box variant="small">{text.request(requestId)}</Box>}
    </Alert>
  );
}
