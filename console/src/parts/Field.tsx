import FormField from "@cloudscape-design/components/form-field";
import Input, { type InputProps } from "@cloudscape-design/components/input";
import type { NameProblem } from "../lib/names";
import { strings } from "../strings";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  description?: string;
  constraint?: string;
  problem?: NameProblem | undefined;
  /** A problem in words, where it is none of a name. */
  error?: string | undefined;
  /** Problems are shown after the first attempt to send the form. */
  isShown?: boolean;
  placeholder?: string;
  type?: InputProps.Type;
  inputMode?: InputProps.InputMode;
  autoComplete?: boolean;
  autoFocus?: boolean;
  isOptional?: boolean;
}

/** A labelled line of text with what is wrong about it. */
export function Field({
  label,
  value,
  onChange,
  description,
  constraint,
  problem,
  error,
  isShown = true,
  isOptional = false,
  autoComplete = false,
  ...input
}: Props) {
  const isMissing = problem?.kind === "missing";
  const isVisible = problem !== undefined && (isShown || (!isMissing && value !== ""));
  return (
    <FormField
      label={
        isOptional ? (
          <span>
            {label} <i>- {strings.iam.optional}</i>
          </span>
        ) : (
          label
        )
      }
      description={description}
      constraintText={constraint}
      errorText={isVisible ? strings.iam.problem(problem) : error}
      stretch
    >
      <Input
        value={value}
        onChange={(event) => onChange(event.detail.value)}
        autoComplete={autoComplete}
        spellcheck={false}
        {...input}
      />
    </FormField>
  );
}
