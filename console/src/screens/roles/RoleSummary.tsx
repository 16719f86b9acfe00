import type { Role } from "@aws-sdk/client-iam";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useState } from "react";
import { iamChange, perform } from "../../api/perform";
import { descriptionProblem, sessionSecondsProblem } from "../../lib/names";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { holderKey } from "../../parts/iam/keys";
import { Arn, Duration, Time, sessionText } from "../../parts/Values";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** What a role is: ARN, description, duration, last use. */
export function RoleSummary({ role }: { role: Role | undefined }) {
  const text = strings.roles;
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Container
      header={
        <Header
          actions={
            <Button disabled={role === undefined} onClick={() => setIsOpen(true)}>
              {text.settings.edit}
            </Button>
          }
        >
          {strings.iam.details}
        </Header>
      }
    >
      <KeyValuePairs
        columns={3}
        items={[
          { label: strings.iam.arn, value: <Arn arn={role?.Arn} /> },
          { label: strings.iam.description, value: role?.Description ?? strings.iam.none },
          { label: text.duration, value: <Duration seconds={role?.MaxSessionDuration} /> },
          { label: strings.iam.created, value: <Time time={role?.CreateDate} /> },
          { label: text.lastUsed, value: <Time time={role?.RoleLastUsed?.LastUsedDate} missing={text.lastUsedNever} /> },
          { label: strings.iam.path, value: role?.Path ?? strings.iam.none },
        ]}
      />
      {isOpen && role !== undefined ? <Edit role={role} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

function Edit({ role, onClose }: { role: Role; onClose: () => void }) {
  const text = strings.roles;
  const name = role.RoleName ?? "";
  const [description, setDescription] = useState(role.Description ?? "");
  const [seconds, setSeconds] = useState((role.MaxSessionDuration ?? "").toString());
  const problem = sessionSecondsProblem(Number(seconds));
  const change = iamChange("UpdateRole", {
    RoleName: name,
    Description: description,
    MaxSessionDuration: Number(seconds),
  });
  const save = useAction(() => perform(change), {
    stale: [holderKey({ kind: "role", name })],
    said: () => text.settings.saved,
    then: onClose,
  });
  return (
    <Dialog
      title={text.settings.edit}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={problem !== undefined || descriptionProblem(description) !== undefined}
      error={save.error}
      changes={[change]}
    >
      <Field
        label={strings.iam.description}
        value={description}
        onChange={setDescription}
        problem={descriptionProblem(description)}
      />
      <Field
        label={text.duration}
        value={seconds}
        onChange={setSeconds}
        constraint={text.durationHint(sessionText(seconds))}
        inputMode="numeric"
        problem={problem}
      />
    </Dialog>
  );
}
