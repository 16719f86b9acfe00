import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useChoices } from "../../parts/useChoices";
import { destinationsOf, destinationText, type Destination } from "../../lib/replication";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { rulesQuery } from "./queries";

const text = strings.replication.backfills;

interface Props {
  value: Destination | undefined;
  onChange: (destination: Destination | undefined) => void;
}

/** A destination that a rule names. */
export function DestinationField({ value, onChange }: Props) {
  const query = useChoices(rulesQuery());
  const known = destinationsOf(query.data ?? "");
  const options = known.map((one) => ({ value: destinationText(one), label: destinationText(one) }));
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <FormField label={text.destination} stretch>
      <Select
        selectedOption={
          value === undefined ? null : { value: destinationText(value), label: destinationText(value) }
        }
        options={options}
        empty={text.noDestinations}
        placeholder={text.destination}
        statusType={query.isPending ? "loading" : "finished"}
        loadingText={strings.frame.loading}
        onChange={({ detail }) =>
          onChange(known.find((one) => destinationText(one) === detail.selectedOption.value))
        }
      />
    </FormField>
  );
}
