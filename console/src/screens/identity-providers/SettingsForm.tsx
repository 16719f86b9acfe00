import Alert from "@cloudscape-design/components/alert";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import Multiselect from "@cloudscape-design/components/multiselect";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import { replaceSettings, type ProviderSettings } from "../../api/provider-settings";
import {
  ALGORITHMS,
  lostSecrets,
  settingsChange,
  settingsForm,
  settingsProblems,
  storedSecrets,
  type SettingsForm as Form,
} from "../../lib/provider-settings";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

interface Props {
  arn: string;
  kind: "oidc" | "saml";
  stored: ProviderSettings;
  stale: string[][];
  onClose: () => void;
}

/** Replaces the settings of a provider. Secrets are written and never shown. */
export function SettingsForm({ arn, kind, stored: read, stale, onClose }: Props) {
  const text = strings.providerSettings;
  // The page may read newer settings meanwhile; the edit began with these.
  const [stored] = useState(read);
  const [form, setForm] = useState(() => settingsForm(stored));
  const [isRemovalMeant, setIsRemovalMeant] = useState(false);
  const set = (part: Partial<Form>) => setForm({ ...form, ...part });
  const problems = kind === "saml" ? {} : settingsProblems(stored, form, isRemovalMeant);
  const secrets = kind === "saml" ? [] : storedSecrets(stored, form);
  const lost = kind === "saml" ? [] : lostSecrets(stored, form);
  const change = settingsChange(arn, stored, form, kind, isRemovalMeant);
  const save = useAction(() => replaceSettings(stored, change, text.changed), {
    stale,
    said: () => text.saved,
    then: onClose,
  });
  const listed = (names: typeof secrets) => names.map((name) => text.secrets[name]).join(", ");
  return (
    <Dialog
      title={text.edit}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={Object.keys(problems).length > 0 || (lost.length > 0 && !isRemovalMeant)}
      error={save.error}
      size="large"
      changes={[change]}
    >
      {kind === "saml" ? (
        <Checkbox checked={form.singleUse} onChange={({ detail }) => set({ singleUse: detail.checked })}>
          {text.singleUse}
        </Checkbox>
      ) : (
        <OidcFields form={form} set={set} problems={problems} />
      )}
      {lost.length === 0 ? null : <Alert type="warning">{text.lost(listed(lost))}</Alert>}
      {secrets.length === 0 ? null : (
        <Checkbox
          checked={isRemovalMeant}
          description={text.removes(listed(secrets))}
          onChange={({ detail }) => setIsRemovalMeant(detail.checked)}
        >
          {text.confirmRemoval}
        </Checkbox>
      )}
    </Dialog>
  );
}

interface FieldsProps {
  form: Form;
  set: (part: Partial<Form>) => void;
  problems: ReturnType<typeof settingsProblems>;
}

function OidcFields({ form, set, problems }: FieldsProps) {
  const text = strings.providerSettings;
  const options = ALGORITHMS.map((value) => ({ value, label: value }));
  return (
    <>
      <Field
        label={text.claims}
        value={form.claims}
        onChange={(claims) => set({ claims })}
        constraint={text.claimsHint}
        error={problems.claims === true ? text.claimsProblem : undefined}
        isOptional
      />
      <Field
        label={text.keysHost}
        value={form.keysHost}
        onChange={(keysHost) => set({ keysHost })}
        constraint={text.keysHostHint}
        error={problems.keysHost === true ? text.keysHostProblem : undefined}
        isOptional
      />
      <FormField label={text.algorithms} constraintText={text.algorithmsHint} stretch>
        <Multiselect
          options={options}
          selectedOptions={options.filter(({ value }) => form.algorithms.includes(value))}
          onChange={({ detail }) => set({ algorithms: detail.selectedOptions.flatMap(({ value }) => value ?? []) })}
          placeholder={text.algorithmsAny}
          deselectAriaLabel={(option) => strings.iam.permissions.remove(option.label ?? "")}
        />
      </FormField>
      <Field
        label={text.token}
        type="password"
        value={form.bearerToken}
        onChange={(bearerToken) => set({ bearerToken })}
        constraint={text.tokenHint}
        error={problems.bearerToken === undefined ? undefined : text.tokenProblems[problems.bearerToken]}
        isOptional
      />
      <Pem label={text.authority} hint={text.authorityHint} value={form.authority} onChange={(authority) => set({ authority })} />
      <Pem
        label={text.certificate}
        hint={text.certificateHint}
        value={form.certificate}
        onChange={(certificate) => set({ certificate })}
      />
      <Pem
        label={text.clientKey}
        hint={text.clientKeyHint}
        value={form.clientKey}
        onChange={(clientKey) => set({ clientKey })}
        error={problems.clientKey === true ? text.clientKeyProblem : undefined}
      />
    </>
  );
}

interface PemProps {
  label: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

function Pem({ label, hint, value, onChange, error }: PemProps) {
  return (
    <FormField label={label} constraintText={hint} errorText={error} stretch>
      <Textarea
        value={value}
        rows={3}
        spellcheck={false}
        autoComplete={false}
        onChange={({ detail }) => onChange(detail.value)}
      />
    </FormField>
  );
}
