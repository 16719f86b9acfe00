import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { createLoginProfile, deleteLoginProfile, getLoginProfile, updateLoginProfile } from "../../api/iam/credentials";
import { isGone } from "../../api/iam/dependants";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/iam/Dialog";
import { holderKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** `null` for a user without a password. */
async function profileOf(UserName: string) {
  try {
    return (await getLoginProfile({ UserName })).LoginProfile ?? null;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The console password of a user. */
export function LoginProfile({ userName }: { userName: string }) {
  const text = strings.users.login;
  const [isOpen, setIsOpen] = useState(false);
  const queryKey = [...holderKey({ kind: "user", name: userName }), "login"];
  const found = useQuery({ queryKey, queryFn: () => profileOf(userName) });
  const removal = useAction(() => deleteLoginProfile({ UserName: userName }), {
    stale: [queryKey],
    said: () => text.removed,
    isLoud: true,
  });
  const profile = found.data ?? null;
  return (
    <Container
      header={
        <Header
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {profile === null ? null : <Button onClick={() => removal.run(undefined)}>{text.remove}</Button>}
              <Button onClick={() => setIsOpen(true)}>{profile === null ? text.create : text.change}</Button>
            </SpaceBetween>
          }
        >
          {text.title}
        </Header>
      }
    >
      {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
      {profile === null ? (
        <Box>{found.isPending ? strings.iam.loading : text.none}</Box>
      ) : (
        <KeyValuePairs
          columns={2}
          items={[
            { label: text.since, value: <Time time={profile.CreateDate} /> },
            { label: text.mustReset, value: profile.PasswordResetRequired === true ? text.yes : text.no },
          ]}
        />
      )}
      {isOpen ? (
        <Password userName={userName} isNew={profile === null} queryKey={queryKey} onClose={() => setIsOpen(false)} />
      ) : null}
    </Container>
  );
}

interface PasswordProps {
  userName: string;
  isNew: boolean;
  queryKey: string[];
  onClose: () => void;
}

function Password({ userName, isNew, queryKey, onClose }: PasswordProps) {
  const text = strings.users;
  const [password, setPassword] = useState("");
  const [mustReset, setMustReset] = useState(true);
  const save = useAction(
    async () => {
      const input = { UserName: userName, Password: password, PasswordResetRequired: mustReset };
      await (isNew ? createLoginProfile(input) : updateLoginProfile(input));
    },
    { stale: [queryKey], said: () => text.login.saved, then: onClose },
  );
  return (
    <Dialog
      title={isNew ? text.login.create : text.login.change}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={password === ""}
      error={save.error}
    >
      <Field
        label={text.password}
        type="password"
        value={password}
        onChange={setPassword}
        constraint={text.passwordHint}
      />
      <Checkbox checked={mustReset} onChange={(event) => setMustReset(event.detail.checked)}>
        {text.reset}
      </Checkbox>
    </Dialog>
  );
}
