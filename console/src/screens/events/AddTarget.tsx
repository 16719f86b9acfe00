import Alert from "@cloudscape-design/components/alert";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import type { PutAnswer } from "../../api/events";
import { perform } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { Secret } from "../../parts/Secret";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { TARGETS } from "./keys";

const text = strings.events;

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

/** Makes a target, and shows its secret once. */
export function AddTarget({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [pattern, setPattern] = useState("");
  const [secret, setSecret] = useState<string>();
  const targetName = name.trim();
  const target = url.trim();
  const isName = /^[A-Za-z0-9_.-]{1,64}$/.test(targetName);
  const isUrl = /^https?:\/\/[^\s/@]+/.test(target);
  const isPattern = pattern.trim() === "" || isJson(pattern);
  const change = {
    service: "berth",
    operation: "PutEventTarget",
    input: { targetName, url: target, ...(pattern.trim() === "" ? {} : { eventPattern: pattern.trim() }) },
  };
  const add = useAction(() => perform(change) as Promise<PutAnswer>, {
    stale: [TARGETS],
    then: (answer) => (answer.secret === undefined ? onClose() : setSecret(answer.secret)),
  });
  if (secret !== undefined) {
    return (
      <Dialog title={text.secretTitle} submit={text.done} onSubmit={onClose} onClose={onClose}>
        <SpaceBetween size="m">
          <Alert type="warning">{text.secretHint}</Alert>
          <Secret label={text.secret} value={secret} />
        </SpaceBetween>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={text.add}
      submit={text.add}
      onSubmit={() => add.run(undefined)}
      onClose={onClose}
      isRunning={add.isRunning}
      isDisabled={!isName || !isUrl || !isPattern}
      error={add.error}
      changes={[change]}
    >
      <SpaceBetween size="m">
        <Field
          label={text.name}
          value={name}
          onChange={setName}
          error={targetName === "" || isName ? undefined : text.nameProblem}
        />
        <Field
          label={text.url}
          value={url}
          onChange={setUrl}
          description={text.urlHint}
          error={target === "" || isUrl ? undefined : text.urlProblem}
        />
        <FormField label={text.pattern} description={text.patternHint} errorText={isPattern ? undefined : text.notJson}>
          <Textarea value={pattern} onChange={({ detail }) => setPattern(detail.value)} rows={4} spellcheck={false} />
        </FormField>
      </SpaceBetween>
    </Dialog>
  );
}
