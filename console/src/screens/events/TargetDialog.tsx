import Alert from "@cloudscape-design/components/alert";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import type { EventTarget, PutAnswer } from "../../api/events";
import { perform } from "../../api/perform";
import { EMPTY_TARGET, putTarget, targetForm, targetProblems, type TargetForm } from "../../lib/event-target";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { Secret } from "../../parts/Secret";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { TARGETS } from "./keys";

const text = strings.events;

interface Props {
  /** The target to edit; none for a new one. */
  target?: EventTarget | undefined;
  onClose: () => void;
}

/** Makes or edits a target, and shows a new secret once. */
export function TargetDialog({ target, onClose }: Props) {
  const isNew = target === undefined;
  const [form, setForm] = useState(() => (target === undefined ? EMPTY_TARGET : targetForm(target)));
  const [secret, setSecret] = useState<string>();
  const set = (change: Partial<TargetForm>) => setForm({ ...form, ...change });
  const problems = targetProblems(form);
  const error = (member: "name" | "url", words: string) =>
    form[member].trim() !== "" && problems.has(member) ? words : undefined;
  const change = putTarget(form, isNew);
  const save = useAction(() => perform(change) as Promise<PutAnswer>, {
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
      title={isNew ? text.add : text.editOne(form.name)}
      submit={isNew ? text.add : strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={problems.size > 0}
      error={save.error}
      changes={[change]}
    >
      <SpaceBetween size="m">
        {isNew ? (
          <Field
            label={text.name}
            value={form.name}
            onChange={(name) => set({ name })}
            error={error("name", text.nameProblem)}
          />
        ) : null}
        <Field
          label={text.url}
          value={form.url}
          onChange={(url) => set({ url })}
          description={text.urlHint}
          error={error("url", text.urlProblem)}
        />
        <FormField
          label={text.pattern}
          description={text.patternHint}
          errorText={problems.has("pattern") ? text.notJson : undefined}
        >
          <Textarea value={form.pattern} onChange={({ detail }) => set({ pattern: detail.value })} rows={4} spellcheck={false} />
        </FormField>
        {isNew ? null : (
          <>
            <Checkbox checked={form.isOn} description={text.isOnHint} onChange={({ detail }) => set({ isOn: detail.checked })}>
              {text.isOn}
            </Checkbox>
            <Checkbox
              checked={form.rotates}
              description={text.rotatesHint}
              onChange={({ detail }) => set({ rotates: detail.checked })}
            >
              {text.rotates}
            </Checkbox>
          </>
        )}
      </SpaceBetween>
    </Dialog>
  );
}
