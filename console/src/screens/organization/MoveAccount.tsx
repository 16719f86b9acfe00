import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useQuery } from "@tanstack/react-query";
import { useChoices } from "../../parts/useChoices";
import { useState } from "react";
import { parentOf, parents, type Node } from "../../api/organizations";
import { perform } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

interface Props {
  root: Node;
  account: string;
  onClose: () => void;
}

/** Moves an account to another unit or to the root. */
export function MoveAccount({ root, account, onClose }: Props) {
  const text = strings.organization;
  const [to, setTo] = useState("");
  const found = useChoices({ queryKey: ["organization", "parents", root.id], queryFn: () => parents(root) });
  const source = useQuery({ queryKey: ["organization", "parent", account], queryFn: () => parentOf(account), gcTime: 0 });
  const change = {
    service: "organizations",
    operation: "MoveAccount",
    input: { AccountId: account, SourceParentId: source.data, DestinationParentId: to },
  };
  const move = useAction(() => perform(change), {
    stale: [["organization", "accounts"], ["organization", "parent", account]],
    said: () => text.accountMoved,
    then: onClose,
  });
  const options = (found.data ?? [])
    .filter(({ id }) => id !== source.data)
    .map(({ id, name }) => ({ value: id, label: name, description: id }));
  return (
    <Dialog
      title={text.move}
      submit={text.move}
      onSubmit={() => move.run(undefined)}
      onClose={onClose}
      isRunning={move.isRunning}
      isDisabled={to === "" || source.data === undefined}
      error={move.error ?? found.error ?? source.error ?? undefined}
      changes={to === "" ? [] : [change]}
    >
      <FormField label={text.destination} stretch>
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === to) ?? null}
          onChange={(event) => setTo(event.detail.selectedOption.value ?? "")}
          filteringType="auto"
          filteringAriaLabel={text.destination}
          statusType={found.isPending ? "loading" : "finished"}
          loadingText={strings.iam.loading}
          empty={text.noDestination}
          placeholder={text.destination}
        />
      </FormField>
    </Dialog>
  );
}
