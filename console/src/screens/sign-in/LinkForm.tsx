import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import { useState } from "react";
import { signIn } from "../../api/session";
import { strings } from "../../strings";
import { AttemptForm } from "./AttemptForm";
import { CodeField } from "./fields";
import { useAttempt } from "./useAttempt";

interface Props {
  token: string;
  /** Called by who signs in another way. */
  onLeave: () => void;
}

/** A sign-in by a one-time link. It waits for a press: a link that is only previewed is not used up. */
export function LinkForm({ token, onLeave }: Props) {
  const text = strings.signIn;
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const attempt = useAttempt(() => signIn({ kind: "link", token, ...(code === "" ? {} : { mfaCode: code }) }));
  if (attempt.code === "MfaRequired" && !needsCode) setNeedsCode(true);
  return (
    <>
      <Header variant="h2">{text.linkTitle}</Header>
      <AttemptForm attempt={attempt} submitText={text.submit}>
        <Box>{text.linkHint}</Box>
        {needsCode ? <CodeField value={code} onChange={setCode} autoFocus /> : null}
      </AttemptForm>
      <Button variant="inline-link" onClick={onLeave}>
        {text.linkOther}
      </Button>
    </>
  );
}
