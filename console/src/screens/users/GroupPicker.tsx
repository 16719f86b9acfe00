import FormField from "@cloudscape-design/components/form-field";
import Multiselect from "@cloudscape-design/components/multiselect";
import { useChoices } from "../../parts/useChoices";
import { collect, from, markerOf } from "../../api/iam/collect";
import { listGroups } from "../../api/iam/groups";
import { listKey } from "../../parts/iam/keys";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";

interface Props {
  groups: string[];
  onChange: (groups: string[]) => void;
  /** Groups that are not offered. */
  without?: string[];
}

async function groupNames(): Promise<string[]> {
  const found = await collect(async (marker) => {
    const answer = await listGroups({ MaxItems: 1000, ...from(marker) });
    return { items: answer.Groups ?? [], marker: markerOf(answer) };
  });
  return found.items.flatMap((group) => group.GroupName ?? []);
}

/** Chooses groups by name. */
export function GroupPicker({ groups, onChange, without = [] }: Props) {
  const text = strings.users;
  const found = useChoices({ queryKey: [...listKey("groups"), "names"], queryFn: groupNames });
  if (found.error !== null) return <Failure error={found.error} />;
  const options = (found.data ?? [])
    .filter((name) => !without.includes(name))
    .map((name) => ({ value: name, label: name }));
  return (
    <FormField label={text.groups} description={text.groupsHint} stretch>
      <Multiselect
        options={options}
        selectedOptions={groups.map((name) => ({ value: name, label: name }))}
        onChange={(event) => onChange(event.detail.selectedOptions.flatMap(({ value }) => value ?? []))}
        filteringType="auto"
        filteringAriaLabel={text.groupsFind}
        filteringPlaceholder={text.groupsFind}
        statusType={found.isPending ? "loading" : "finished"}
        loadingText={strings.iam.loading}
        empty={text.groupsNone}
        placeholder={text.groupsFind}
        deselectAriaLabel={(option) => text.memberships.leave(option.label ?? "")}
      />
    </FormField>
  );
}
