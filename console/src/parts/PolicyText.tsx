import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import type { PolicyKind } from "../api/policies";
import { strings } from "../strings";
import { CodeBlock } from "./CodeBlock";
import { PolicyEditor } from "./policy-editor";

interface Props {
  label: string;
  value: string;
}

/** A document as text, to read and to copy. */
export function PolicyText({ label, value }: Props) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <CodeBlock code={value} label={label} copyLabel={strings.iam.copy(label)} />
    </div>
  );
}

interface EditProps extends Props {
  onChange: (value: string) => void;
  kind?: PolicyKind;
  /** The ARN that the simulator asks about first. */
  principal?: string | undefined;
  /** The ARN of the resource whose policy it is. */
  resource?: string;
  error?: string | undefined;
}

/** A policy document to edit, with what is wrong about it. */
export function PolicyEdit({ label, value, onChange, kind = "identity", principal, resource, error }: EditProps) {
  return (
    <div role="group" aria-label={label}>
      <Box variant="awsui-key-label">{label}</Box>
      {/* Without a label: it would begin the name of each field inside. */}
      <FormField errorText={error} stretch>
        <PolicyEditor
          kind={kind}
          value={value}
          onChange={onChange}
          {...(principal === undefined ? {} : { principal })}
          {...(resource === undefined ? {} : { resource })}
        />
      </FormField>
    </div>
  );
}
