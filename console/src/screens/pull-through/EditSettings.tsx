import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { perform } from "../../api/perform";
import { formOf, putSettings, settingsProblems, type Settings, type SettingsForm } from "../../lib/pull-through-settings";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { Lines } from "../../parts/Lines";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { FurtherUpstreams } from "./FurtherUpstreams";
import { Pem } from "./Pem";
import { SETTINGS } from "./queries";

const text = strings.pullThrough.settings;

/** All settings of a rule in one form: the operation sets them all at once. */
export function EditSettings({ settings, onClose }: { settings: Settings; onClose: () => void }) {
  const [form, setForm] = useState(() => formOf(settings));
  const set = (change: Partial<SettingsForm>) => setForm((known) => ({ ...known, ...change }));
  const problems = settingsProblems(form, settings);
  const change = putSettings(form, settings);
  const prefix = settings.ecrRepositoryPrefix;
  const save = useAction(() => perform(change), { stale: [SETTINGS], said: () => text.saved(prefix), then: onClose });
  return (
    <Dialog
      title={text.edit}
      submit={strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={problems.size > 0}
      error={save.error}
      size="large"
      changes={[change]}
    >
      <SpaceBetween size="m">
        <Field
          label={text.freshness}
          value={form.freshness}
          onChange={(freshness) => set({ freshness })}
          constraint={text.freshnessHint}
          inputMode="numeric"
          error={problems.has("freshness") ? text.freshnessError : undefined}
        />
        <Lines
          label={text.platforms}
          hint={problems.has("platforms") ? text.platformsError : text.platformsHint}
          values={form.platforms}
          onChange={(platforms) => set({ platforms })}
        />
        <FormField label={text.referrers}>
          <Checkbox checked={form.hasReferrers} onChange={({ detail }) => set({ hasReferrers: detail.checked })}>
            {text.referrersLabel}
          </Checkbox>
        </FormField>
        <Pem
          label={text.authority}
          hint={text.authorityHint}
          value={form.authority}
          onChange={(authority) => set({ authority })}
        />
        <Pem
          label={text.certificate}
          hint={text.certificateHint}
          value={form.certificate}
          onChange={(certificate) => set({ certificate })}
        />
        <Pem
          label={text.key}
          hint={settings.hasClientKey ? `${text.keyHint} ${text.keyKept}` : text.keyHint}
          value={form.key}
          onChange={(key) => set({ key })}
          error={problems.has("key") ? text.keyError : undefined}
        />
        <FurtherUpstreams upstreams={form.upstreams} onChange={(upstreams) => set({ upstreams })} />
      </SpaceBetween>
    </Dialog>
  );
}
