import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { COUNT_TYPES, TAG_STATUSES, withCountType, type RuleForm } from "../../lib/lifecycle";
import { strings } from "../../strings";

const text = strings.lifecycle;

interface Props {
  rule: RuleForm;
  onChange: (rule: RuleForm) => void;
  onRemove: () => void;
}

/** One rule: which images it is about, when it acts on them, and how. */
export function LifecycleRule({ rule, onChange, onRemove }: Props) {
  const change = (part: Partial<RuleForm>) => onChange({ ...rule, ...part });
  const actions = rule.countType === "sinceImagePulled" ? (["transition"] as const) : (["expire", "transition"] as const);
  const allowed = rule.countType === "sinceImageTransitioned" ? (["expire"] as const) : actions;
  return (
    <div role="group" aria-label={text.rule(rule.priority)}>
      <SpaceBetween size="s">
        <Box variant="h3">{text.rule(rule.priority)}</Box>
        <ColumnLayout columns={3}>
          <Numeric
            label={text.priority}
            hint={text.priorityHint}
            value={rule.priority}
            onChange={(priority) => change({ priority })}
          />
          <FormField label={text.description}>
            <Input value={rule.description} onChange={({ detail }) => change({ description: detail.value })} />
          </FormField>
          <Choice
            label={text.tagStatus}
            value={rule.tagStatus}
            texts={text.statuses}
            all={TAG_STATUSES}
            onChange={(tagStatus) => change({ tagStatus })}
          />
          {rule.tagStatus === "tagged" ? <Entries rule={rule} change={change} /> : null}
          <Choice
            label={text.countType}
            value={rule.countType}
            texts={text.countTypes}
            all={COUNT_TYPES}
            onChange={(countType) => onChange(withCountType(rule, countType))}
          />
          <Numeric
            label={text.countNumber}
            value={rule.countNumber}
            onChange={(countNumber) => change({ countNumber })}
          />
          <Choice
            label={text.action}
            value={rule.archives ? "transition" : "expire"}
            texts={text.actions}
            all={allowed}
            onChange={(action) => change({ archives: action === "transition" })}
          />
        </ColumnLayout>
        <Button onClick={onRemove}>{text.remove(rule.priority)}</Button>
      </SpaceBetween>
    </div>
  );
}

function Entries({ rule, change }: { rule: RuleForm; change: (part: Partial<RuleForm>) => void }) {
  // What is being typed: a comma at the end is no entry yet.
  const [typed, setTyped] = useState(rule.entries.join(", "));
  const entries = (value: string) => value.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
  return (
    <>
      <Choice
        label={text.entryKind}
        value={rule.isPrefixes ? "prefixes" : "patterns"}
        texts={text.kinds}
        all={["patterns", "prefixes"] as const}
        onChange={(kind) => change({ isPrefixes: kind === "prefixes" })}
      />
      <FormField label={text.entries} constraintText={text.entriesHint}>
        <Input
          value={typed}
          onChange={({ detail }) => {
            setTyped(detail.value);
            change({ entries: entries(detail.value) });
          }}
        />
      </FormField>
    </>
  );
}

interface NumericProps {
  label: string;
  hint?: string;
  value: number;
  onChange: (value: number) => void;
}

function Numeric({ label, hint = "", value, onChange }: NumericProps) {
  return (
    <FormField label={label} constraintText={hint}>
      <Input
        type="number"
        inputMode="numeric"
        value={String(value)}
        onChange={({ detail }) => onChange(Math.max(1, Math.trunc(Number(detail.value)) || 1))}
      />
    </FormField>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  texts: Record<T, string>;
  all: readonly T[];
  onChange: (value: T) => void;
}

function Choice<T extends string>({ label, value, texts, all, onChange }: ChoiceProps<T>) {
  const options = all.map((one) => ({ value: one, label: texts[one] }));
  return (
    <FormField label={label}>
      <Select
        selectedOption={options.find((option) => option.value === value) ?? null}
        options={options}
        onChange={({ detail }) => {
          const chosen = all.find((one) => one === detail.selectedOption.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      />
    </FormField>
  );
}
