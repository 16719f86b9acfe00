import FormField from "@cloudscape-design/components/form-field";
import Textarea from "@cloudscape-design/components/textarea";
import { strings } from "../strings";

interface Props {
  label: string;
  value: string;
  onChange?: (value: string) => void;
  description?: string;
  error?: string | undefined;
  rows?: number;
}

/** A policy document as text, to read or to edit. */
export function PolicyText({ label, value, onChange, description, error, rows = 16 }: Props) {
  return (
    <FormField label={label} description={description ?? strings.iam.permissions.documentHint} errorText={error} stretch>
      <Textarea
        value={value}
        rows={rows}
        readOnly={onChange === undefined}
        spellcheck={false}
        autoComplete={false}
        disableBrowserAutocorrect
        onChange={(event) => onChange?.(event.detail.value)}
      />
    </FormField>
  );
}
