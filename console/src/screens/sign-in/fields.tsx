import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { strings } from "../../strings";

interface TextProps {
  label: string;
  description?: string;
  value: string;
  onChange: (value: string) => void;
  /** What password managers and browsers fill in. */
  autoComplete: string;
  isSecret?: boolean;
  autoFocus?: boolean;
}

/** A labelled field. */
export function TextField({ label, description, value, onChange, autoComplete, isSecret, autoFocus }: TextProps) {
  return (
    <FormField label={label} description={description}>
      <Input
        type={isSecret === true ? "password" : "text"}
        value={value}
        autoComplete={autoComplete}
        {...(autoFocus === true ? { autoFocus } : {})}
        spellcheck={false}
        onChange={({ detail }) => onChange(detail.value)}
      />
    </FormField>
  );
}

interface CodeProps {
  label?: string;
  value: string;
  onChange: (value: string) => void;
  autoFocus?: boolean;
}

/** A field for a code of an MFA device. */
export function CodeField({ label = strings.signIn.mfaCode, value, onChange, autoFocus }: CodeProps) {
  return (
    <FormField label={label} description={strings.signIn.mfaHint}>
      <Input
        inputMode="numeric"
        value={value}
        autoComplete="one-time-code"
        {...(autoFocus === true ? { autoFocus } : {})}
        onChange={({ detail }) => onChange(detail.value)}
      />
    </FormField>
  );
}
