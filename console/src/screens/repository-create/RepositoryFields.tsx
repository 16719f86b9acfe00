import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { isRepositoryName, type RepositoryForm } from "../../lib/repository-form";
import { strings } from "../../strings";
import { MutabilityFields } from "../repository/MutabilityFields";
import { TagFields } from "../repository/TagFields";

const ENCRYPTIONS = ["AES256", "KMS"] as const;

interface Props {
  form: RepositoryForm;
  onChange: (form: RepositoryForm) => void;
  /** Whether to say what is wrong with what is still empty. */
  showErrors: boolean;
}

export function RepositoryFields({ form, onChange, showErrors }: Props) {
  const text = strings.repositories.form;
  const set = (change: Partial<RepositoryForm>) => onChange({ ...form, ...change });
  const isNameWrong = !isRepositoryName(form.name) && (showErrors || form.name.length > 1);
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{text.details}</Header>}>
        <SpaceBetween size="l">
          <FormField
            label={text.name}
            constraintText={text.nameHint}
            {...(isNameWrong ? { errorText: text.nameError } : {})}
          >
            <Input
              value={form.name}
              onChange={({ detail }) => set({ name: detail.value })}
              ariaRequired
              autoComplete={false}
              spellcheck={false}
            />
          </FormField>
          <MutabilityFields
            value={form}
            onChange={({ mutability, exclusions }) => set({ mutability, exclusions })}
            showErrors={showErrors}
          />
          <Checkbox
            checked={form.scanOnPush}
            description={text.scanHint}
            onChange={({ detail }) => set({ scanOnPush: detail.checked })}
          >
            {text.scan}
          </Checkbox>
          <FormField label={text.encryption} description={text.encryptionHint}>
            <RadioGroup
              value={form.encryption}
              items={ENCRYPTIONS.map((value) => ({ value, ...text.encryptionKinds[value] }))}
              onChange={({ detail }) => set({ encryption: detail.value === "KMS" ? "KMS" : "AES256" })}
            />
          </FormField>
          {form.encryption === "AES256" ? null : (
            <FormField label={text.kmsKey} constraintText={text.kmsKeyHint}>
              <Input
                value={form.kmsKey}
                onChange={({ detail }) => set({ kmsKey: detail.value })}
                placeholder={text.kmsKeyPlaceholder}
                autoComplete={false}
                spellcheck={false}
              />
            </FormField>
          )}
        </SpaceBetween>
      </Container>
      <Container header={<Header variant="h2">{text.tags}</Header>}>
        <TagFields tags={form.tags} onChange={(tags) => set({ tags })} />
      </Container>
    </SpaceBetween>
  );
}
