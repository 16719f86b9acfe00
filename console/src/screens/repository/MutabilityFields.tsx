import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { EXCLUSIONS_MAX, isExclusion, type RepositoryForm } from "../../lib/repository-form";
import { strings } from "../../strings";

type Value = Pick<RepositoryForm, "mutability" | "exclusions">;

interface Props {
  value: Value;
  onChange: (value: Value) => void;
  showErrors: boolean;
}

/** Whether tags may move, and the tags for which the other holds. */
export function MutabilityFields({ value, onChange, showErrors }: Props) {
  const { form: text, mutability, mutabilityHint } = strings.repositories;
  const setExclusions = (exclusions: string[]) => onChange({ ...value, exclusions });
  return (
    <SpaceBetween size="l">
      <FormField label={text.mutability}>
        <RadioGroup
          value={value.mutability}
          items={(["MUTABLE", "IMMUTABLE"] as const).map((name) => ({
            value: name,
            label: mutability[name] ?? name,
            description: mutabilityHint[name],
          }))}
          onChange={({ detail }) =>
            onChange({ ...value, mutability: detail.value === "IMMUTABLE" ? "IMMUTABLE" : "MUTABLE" })
          }
        />
      </FormField>
      <FormField label={text.exclusions} description={text.exclusionsHint} stretch>
        <AttributeEditor
          items={value.exclusions}
          addButtonText={text.addExclusion}
          disableAddButton={value.exclusions.length >= EXCLUSIONS_MAX}
          removeButtonText={strings.frame.remove}
          removeButtonAriaLabel={(item) => text.removeExclusion(value.exclusions.indexOf(item))}
          empty=""
          onAddButtonClick={() => setExclusions([...value.exclusions, ""])}
          onRemoveButtonClick={({ detail }) =>
            setExclusions(value.exclusions.filter((_, index) => index !== detail.itemIndex))
          }
          definition={[
            {
              label: strings.repositories.form.exclusions,
              control: (item, index) => (
                <Input
                  value={item}
                  ariaLabel={text.exclusion(index)}
                  placeholder={text.exclusionPlaceholder}
                  onChange={({ detail }) =>
                    setExclusions(value.exclusions.map((old, at) => (at === index ? detail.value : old)))
                  }
                />
              ),
              errorText: (item) =>
                isExclusion(item) || (item === "" && !showErrors) ? undefined : text.exclusionError,
            },
          ]}
        />
      </FormField>
    </SpaceBetween>
  );
}
