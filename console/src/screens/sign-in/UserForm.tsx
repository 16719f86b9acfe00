import { useState } from "react";
import { signIn } from "../../api/session";
import { strings } from "../../strings";
import { AttemptForm } from "./AttemptForm";
import { CodeField, TextField } from "./fields";
import { PasswordForm } from "./PasswordForm";
import { useAttempt } from "./useAttempt";

/** A user's sign-in: name and password, then a code of the MFA device and a new password where they are asked for. */
export function UserForm() {
  const text = strings.signIn;
  const [account, setAccount] = useState("");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const attempt = useAttempt(async () => {
    const names = { account: account.trim(), user: user.trim(), password };
    return signIn({ kind: "user", ...names, ...(code === "" ? {} : { mfaCode: code }) });
  });
  if (attempt.code === "MfaRequired" && !needsCode) setNeedsCode(true);
  if (attempt.code === "PasswordChangeRequired") return <PasswordForm oldPassword={password} />;
  return (
    <AttemptForm attempt={attempt} submitText={text.submit}>
      <TextField label={text.account} value={account} onChange={setAccount} autoComplete="organization" />
      <TextField label={text.user} value={user} onChange={setUser} autoComplete="username" />
      <TextField
        label={text.password}
        value={password}
        onChange={setPassword}
        autoComplete="current-password"
        isSecret
      />
      {needsCode ? <CodeField value={code} onChange={setCode} autoFocus /> : null}
    </AttemptForm>
  );
}
