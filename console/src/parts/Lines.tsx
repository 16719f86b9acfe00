import FormField from "@cloudscape-design/components/form-field";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

interface Props {
  label: string;
  hint: string;
  values: string[];
  onChange: (values: string[]) => void;
}

const split = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** A list of values, one a line. Lines that are still empty live in the field alone. */
export function Lines({ label, hint, values, onChange }: Props) {
  const [typed, setTyped] = useState(values.join("\n"));
  // The same values may have been typed elsewhere, such as in the JSON.
  const isSame = JSON.stringify(split(typed)) === JSON.stringify(values);
  return (
    <FormField label={label} constraintText={hint} stretch>
      <Textarea
        value={isSame ? typed : values.join("\n")}
        rows={2}
        spellcheck={false}
        autoComplete={false}
        onChange={({ detail }) => {
          setTyped(detail.value);
          onChange(split(detail.value));
        }}
      />
    </FormField>
  );
}
