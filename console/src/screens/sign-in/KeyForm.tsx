import Box from "@cloudscape-design/components/box";
import { useState } from "react";
import { region } from "../../api/current";
import { signInByKey } from "../../api/session";
import { strings } from "../../strings";
import { AttemptForm } from "./AttemptForm";
import { CodeField, TextField } from "./fields";
import { useAttempt } from "./useAttempt";

/** A sign-in by access key, of a user or of the root user. */
export function KeyForm({ hint }: { hint: string }) {
  const text = strings.signIn;
  const [accessKeyId, setAccessKeyId] = useState("");
  const [secret, setSecret] = useState("");
  const [code, setCode] = useState("");
  const attempt = useAttempt(() =>
    signInByKey(accessKeyId.trim(), secret.trim(), region(), code.trim() === "" ? undefined : code.trim()),
  );
  return (
    <AttemptForm attempt={attempt} submitText={text.submit}>
      <Box>{hint}</Box>
      <TextField label={text.accessKeyId} value={accessKeyId} onChange={setAccessKeyId} autoComplete="username" />
      <TextField
        label={text.secretAccessKey}
        value={secret}
        onChange={setSecret}
        autoComplete="current-password"
        isSecret
      />
      <CodeField label={text.mfaOptional} value={code} onChange={setCode} />
    </AttemptForm>
  );
}
