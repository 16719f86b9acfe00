import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { SCENARIOS, templateProblems, type TemplateForm } from "../../lib/template-form";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";
import { MutabilityFields } from "../repository/MutabilityFields";
import { TagFields } from "../repository/TagFields";

const text = strings.templates;

interface Props {
  form: TemplateForm;
  onChange: (form: TemplateForm) => void;
  /** Whether the prefix may be chosen: a stored template keeps its prefix. */
  isNew: boolean;
  showErrors: boolean;
}

export function TemplateFields({ form, onChange, isNew, showErrors }: Props) {
  const set = (change: Partial<TemplateForm>) => onChange({ ...form, ...change });
  const problems = templateProblems(form);
  const error = (member: keyof TemplateForm, words: string) =>
    showErrors && problems.has(member) ? words : undefined;
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{text.details}</Header>}>
        <SpaceBetween size="l">
          {isNew ? (
            <Field
              label={text.prefix}
              value={form.prefix}
              onChange={(prefix) => set({ prefix })}
              constraint={text.prefixHint}
              error={error("prefix", text.prefixError)}
            />
          ) : null}
          <Field
            label={text.summary}
            value={form.description}
            onChange={(description) => set({ description })}
            isOptional
          />
          <FormField
            label={text.appliedFor}
            description={text.appliedForHint}
            errorText={error("appliedFor", text.appliedForError)}
          >
            {SCENARIOS.map((scenario) => (
              <Checkbox
                key={scenario}
                checked={form.appliedFor.includes(scenario)}
                onChange={({ detail }) =>
                  set({
                    appliedFor: SCENARIOS.filter((each) =>
                      each === scenario ? detail.checked : form.appliedFor.includes(each),
                    ),
                  })
                }
              >
                {text.scenarios[scenario]}
              </Checkbox>
            ))}
          </FormField>
          <Field
            label={text.role}
            value={form.customRoleArn}
            onChange={(customRoleArn) => set({ customRoleArn })}
            constraint={text.roleHint}
            error={error("customRoleArn", text.roleError)}
            isOptional
          />
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2">{text.repositories}</Header>}>
        <SpaceBetween size="l">
          <MutabilityFields value={form} onChange={set} showErrors={showErrors} />
          <Document
            label={text.policy}
            value={form.repositoryPolicy}
            onChange={(repositoryPolicy) => set({ repositoryPolicy })}
            error={error("repositoryPolicy", text.documentError)}
          />
          <Document
            label={text.lifecycle}
            value={form.lifecyclePolicy}
            onChange={(lifecyclePolicy) => set({ lifecyclePolicy })}
            error={error("lifecyclePolicy", text.documentError)}
          />
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2">{text.tags}</Header>}>
        <TagFields tags={form.tags} onChange={(tags) => set({ tags })} />
      </Container>
    </SpaceBetween>
  );
}

interface DocumentProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
}

function Document({ label, value, onChange, error }: DocumentProps) {
  return (
    <FormField label={label} constraintText={text.policyHint} errorText={error} stretch>
      <Textarea value={value} rows={6} spellcheck={false} onChange={({ detail }) => onChange(detail.value)} />
    </FormField>
  );
}
