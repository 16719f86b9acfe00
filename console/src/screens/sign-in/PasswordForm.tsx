import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import { useState, type SyntheticEvent } from "react";
import { changePassword } from "../../api/session";
import { strings } from "../../strings";
import { AttemptForm } from "./AttemptForm";
import { TextField } from "./fields";
import { useAttempt } from "./useAttempt";

/** Sets the password that is demanded before anything else. */
export function PasswordForm({ oldPassword }: { oldPassword: string }) {
  const text = strings.signIn.change;
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [differs, setDiffers] = useState(false);
  const attempt = useAttempt(() => changePassword({ oldPassword, newPassword: next }));
  const submit = (event: SyntheticEvent) => {
    setDiffers(next !== again);
    if (next === again) attempt.submit(event);
    else event.preventDefault();
  };
  return (
    <>
      <Header variant="h2">{text.title}</Header>
      <Box padding={{ bottom: "m" }}>{text.hint}</Box>
      <AttemptForm
        attempt={{ ...attempt, submit }}
        submitText={text.submit}
        {...(differs ? { errorText: text.differs } : {})}
      >
        <TextField label={text.next} value={next} onChange={setNext} autoComplete="new-password" isSecret autoFocus />
        <TextField label={text.again} value={again} onChange={setAgain} autoComplete="new-password" isSecret />
      </AttemptForm>
    </>
  );
}
