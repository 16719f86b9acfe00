import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import TokenGroup from "@cloudscape-design/components/token-group";
import { useState } from "react";
import type { Suggestion } from "../../lib/policy/completion";
import { strings } from "../../strings";

interface Props {
  label: string;
  values: readonly string[];
  onChange: (values: string[]) => void;
  suggestions: (written: string) => readonly Suggestion[];
  readOnly: boolean;
}

/** The options of a list that are worth showing. */
const OPTIONS_MAX = 100;

/** A list of texts: tokens that can be removed, and a field that offers what fits. */
export function ValuesField({ label, values, onChange, suggestions, readOnly }: Props) {
  const [written, setWritten] = useState("");
  const words = strings.policyEditor;
  const add = (value: string) => {
    const text = value.trim();
    // A service's prefix is not an action yet.
    const isWhole = text !== "" && !text.endsWith(":");
    setWritten(isWhole ? "" : text);
    if (isWhole && !values.includes(text)) onChange([...values, text]);
  };
  const lower = written.toLowerCase();
  const offered = suggestions(written).filter((one) => one.text.toLowerCase().includes(lower));
  return (
    <FormField label={label} stretch>
      <SpaceBetween size="xs">
        {readOnly ? null : (
          <Autosuggest
            ariaLabel={words.addValue(label)}
            value={written}
            onChange={({ detail }) => setWritten(detail.value)}
            onSelect={({ detail }) => add(detail.value)}
            onKeyDown={({ detail }) => {
              if (detail.key === "Enter") add(written);
            }}
            enteredTextLabel={words.useValue}
            filteringType="manual"
            options={offered.slice(0, OPTIONS_MAX).map(({ text, detail }) => ({
              value: text,
              ...(detail === undefined ? {} : { description: detail }),
            }))}
          />
        )}
        <TokenGroup
          items={values.map((value) => ({ label: value, dismissLabel: words.removeValue(value) }))}
          readOnly={readOnly}
          onDismiss={({ detail }) => onChange(values.filter((_, index) => index !== detail.itemIndex))}
        />
      </SpaceBetween>
    </FormField>
  );
}
