import FormField from "@cloudscape-design/components/form-field";
import Textarea from "@cloudscape-design/components/textarea";

interface Props {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

/** A certificate or a key, in lines of PEM. */
export function Pem({ label, hint, value, onChange, error }: Props) {
  return (
    <FormField label={label} constraintText={hint} errorText={error} stretch>
      <Textarea value={value} rows={3} spellcheck={false} onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  );
}
