import FormField from "@cloudscape-design/components/form-field";
import Multiselect from "@cloudscape-design/components/multiselect";
import Select from "@cloudscape-design/components/select";
import type { NameProblem } from "../../lib/names";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { useManagedPolicies } from "./useManagedPolicies";

const text = strings.iam.permissions;

function useOptions(without: readonly string[] = []) {
  const { data, isPending, error } = useManagedPolicies();
  const options = (data ?? [])
    .filter(({ value }) => !without.includes(value))
    .map(({ value, label, isAws }) => ({
      value,
      label,
      description: value,
      labelTag: isAws ? text.awsManaged : text.managed,
    }));
  return { options, error, statusType: isPending ? ("loading" as const) : ("finished" as const) };
}

interface ManyProps {
  arns: readonly string[];
  onChange: (arns: string[]) => void;
  /** Policies that are attached already. */
  without?: readonly string[];
  problem?: NameProblem | undefined;
}

/** Chooses managed policies by name. */
export function PolicyPicker({ arns, onChange, without, problem }: ManyProps) {
  const { options, error, statusType } = useOptions(without);
  if (error !== null) return <Failure error={error} />;
  return (
    <FormField label={text.find} errorText={problem === undefined ? undefined : strings.iam.problem(problem)} stretch>
      <Multiselect
        options={options}
        selectedOptions={options.filter(({ value }) => arns.includes(value))}
        onChange={(event) => onChange(event.detail.selectedOptions.flatMap(({ value }) => value ?? []))}
        filteringType="auto"
        filteringAriaLabel={text.findHint}
        filteringPlaceholder={text.findHint}
        statusType={statusType}
        loadingText={strings.iam.loading}
        noMatch={text.noMatch}
        placeholder={text.choose}
        deselectAriaLabel={(option) => text.remove(option.label ?? "")}
        virtualScroll
      />
    </FormField>
  );
}

/** Chooses one managed policy, such as a boundary. */
export function OnePolicy({ arn, onChange, label }: { arn: string; onChange: (arn: string) => void; label: string }) {
  const { options, error, statusType } = useOptions();
  if (error !== null) return <Failure error={error} />;
  return (
    <FormField label={label} stretch>
      <Select
        options={options}
        selectedOption={options.find(({ value }) => value === arn) ?? null}
        onChange={(event) => onChange(event.detail.selectedOption.value ?? "")}
        filteringType="auto"
        filteringAriaLabel={text.findHint}
        filteringPlaceholder={text.findHint}
        statusType={statusType}
        loadingText={strings.iam.loading}
        noMatch={text.noMatch}
        placeholder={text.choose}
        virtualScroll
      />
    </FormField>
  );
}
