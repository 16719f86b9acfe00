import FormField from "@cloudscape-design/components/form-field";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { perform } from "../../api/perform";
import { createSecret, EMPTY_SECRET, isSecretName, isWhole, type SecretForm } from "../../lib/pull-through";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { SECRETS } from "./queries";

const text = strings.pullThrough;

const KINDS = ["user", "key"] as const;

interface Props {
  /** The name that is proposed. */
  name: string;
  onCreated: (arn: string) => void;
  onClose: () => void;
}

/** Makes a secret with a user name and an access token, or with an access key. */
export function CreateSecret({ name: proposed, onCreated, onClose }: Props) {
  const [form, setForm] = useState({ ...EMPTY_SECRET, name: proposed });
  const set = (change: Partial<SecretForm>) => setForm({ ...form, ...change });
  const change = createSecret(form);
  const name = form.name.trim();
  const create = useAction(() => perform(change) as Promise<{ ARN: string }>, {
    stale: [SECRETS],
    said: () => text.secretCreated,
    then: ({ ARN }) => {
      onCreated(ARN);
      onClose();
    },
  });
  return (
    <Dialog
      title={text.createSecret}
      submit={text.createSecret}
      onSubmit={() => create.run(undefined)}
      onClose={onClose}
      isRunning={create.isRunning}
      isDisabled={!isWhole(form)}
      error={create.error}
      changes={[change]}
    >
      <SpaceBetween size="m">
        <Field
          label={text.secretName}
          value={form.name}
          onChange={(value) => set({ name: value })}
          constraint={text.secretNameHint}
          error={name === "" || isSecretName(name) ? undefined : text.secretNameError}
        />
        <FormField label={text.secretKind}>
          <RadioGroup
            value={form.kind}
            items={KINDS.map((value) => ({ value, ...text.secretKinds[value] }))}
            onChange={({ detail }) => set({ kind: detail.value === "key" ? "key" : "user" })}
          />
        </FormField>
        {form.kind === "user" ? (
          <>
            <Field label={text.userName} value={form.userName} onChange={(userName) => set({ userName })} />
            <Field
              label={text.accessToken}
              value={form.accessToken}
              onChange={(accessToken) => set({ accessToken })}
              type="password"
              constraint={text.accessTokenHint}
            />
          </>
        ) : (
          <>
            <Field label={text.accessKeyId} value={form.accessKeyId} onChange={(accessKeyId) => set({ accessKeyId })} />
            <Field
              label={text.secretAccessKey}
              value={form.secretAccessKey}
              onChange={(secretAccessKey) => set({ secretAccessKey })}
              type="password"
              constraint={text.accessTokenHint}
            />
            <Field
              label={text.secretRole}
              value={form.roleArn}
              onChange={(roleArn) => set({ roleArn })}
              constraint={text.secretRoleHint}
              isOptional
            />
          </>
        )}
      </SpaceBetween>
    </Dialog>
  );
}
