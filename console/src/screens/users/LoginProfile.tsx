import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getLoginProfile } from "../../api/iam/credentials";
import { isGone } from "../../api/iam/gone";
import { iamChange, perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useConfirm } from "../../parts/iam/Confirm";
import { Dialog } from "../../parts/Dialog";
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
  const { ask, dialog } = useConfirm([queryKey]);
  const remove = () =>
    ask({
      title: text.remove,
      changes: [iamChange("DeleteLoginProfile", { UserName: userName })],
      said: text.removed,
    });
  const profile = found.data ?? null;
  return (
    <Container
      header={
        <Header
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {profile === null ? null : <Button onClick={remove}>{text.remove}</Button>}
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
      {dialog}
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
  const change = iamChange(isNew ? "CreateLoginProfile" : "UpdateLoginProfile", {
    UserName: userName,
    Password: password,
    PasswordResetRequired: mustReset,
  });
  const save = useAction(() => perform(change), { stale: [queryKey], said: () => text.login.saved, then: onClose });
  return (
    <Dialog
      title={isNew ? text.login.create : text.login.change}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={password === ""}
      error={save.error}
      changes={[change]}
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
