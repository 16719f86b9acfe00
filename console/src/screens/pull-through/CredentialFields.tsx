import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useChoices } from "../../parts/useChoices";
import { takesRole, takesSecret, type RuleForm } from "../../lib/pull-through";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";
import { secretsQuery } from "./queries";

const text = strings.pullThrough;
const NONE = { value: "", label: text.noSecret };

interface Props {
  form: Pick<RuleForm, "url" | "secret" | "role">;
  onChange: (change: Partial<Pick<RuleForm, "secret" | "role">>) => void;
  /** Opens the dialog that makes a secret; it stands outside of this form. */
  onCreateSecret: () => void;
  secretError: string | undefined;
  roleError: string | undefined;
}

/** The credentials that the upstream takes: a secret, a role of this server, or none. */
export function CredentialFields({ form, onChange, onCreateSecret, secretError, roleError }: Props) {
  if (!takesSecret(form.url)) return <Box>{text.open}</Box>;
  return (
    <SpaceBetween size="l">
      <SecretField
        value={form.secret}
        onChange={(secret) => onChange({ secret })}
        onCreate={onCreateSecret}
        error={secretError}
      />
      {takesRole(form.url) ? (
        <Field
          label={text.role}
          value={form.role}
          onChange={(role) => onChange({ role })}
          constraint={text.roleHint}
          error={roleError}
          isOptional
        />
      ) : null}
    </SpaceBetween>
  );
}

interface SecretProps {
  label?: string;
  value: string;
  onChange: (arn: string) => void;
  /** Absent where a secret is chosen only. */
  onCreate?: () => void;
  error: string | undefined;
}

/** A choice among the secrets of this account. */
export function SecretField({ label = text.secret, value, onChange, onCreate, error }: SecretProps) {
  const query = useChoices(secretsQuery());
  const known = (query.data ?? []).map(({ ARN, Name, Description = "" }) => ({
    value: ARN,
    label: Name,
    ...(Description === "" ? {} : { description: Description }),
  }));
  const chosen = known.find((option) => option.value === value);
  // Who may not list secrets may know the ARN of one.
  if (query.error !== null) {
    return (
      <>
        <Failure error={query.error} retry={() => void query.refetch()} />
        <Field label={label} value={value} onChange={onChange} constraint={text.secretHint} error={error} />
      </>
    );
  }
  return (
    <FormField
      label={label}
      constraintText={text.secretHint}
      errorText={error}
      secondaryControl={
        onCreate === undefined ? undefined : (
          <Button formAction="none" onClick={onCreate}>
            {text.createSecret}
          </Button>
        )
      }
      stretch
    >
      <Select
        // A secret of which only the ARN is known is still the rule's.
        selectedOption={chosen ?? (value === "" ? NONE : { value, label: value })}
        options={[NONE, ...known]}
        onChange={({ detail }) => onChange(detail.selectedOption.value ?? "")}
        statusType={query.isPending ? "loading" : "finished"}
        loadingText={strings.frame.loading}
        empty={text.noSecrets}
        filteringType="auto"
        filteringAriaLabel={label}
      />
    </FormField>
  );
}
