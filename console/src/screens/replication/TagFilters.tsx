import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { perform } from "../../api/perform";
import { destinationText, putTagFilter, type Destination } from "../../lib/replication";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { Lines } from "../../parts/Lines";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { DestinationField } from "./DestinationField";
import { TAG_FILTERS, tagFiltersQuery } from "./queries";

const text = strings.replication.tags;

/** Which tags go where. */
export function TagFilters() {
  const query = useQuery(tagFiltersQuery());
  const [isOpen, setIsOpen] = useState(false);
  const { ask, dialog } = useConfirm([TAG_FILTERS]);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const remove = (place: Destination) =>
    ask({
      title: text.removeOne(destinationText(place)),
      text: text.removeText,
      submit: text.remove,
      changes: [putTagFilter(place, [])],
      said: text.removed,
    });
  return (
    <>
      <Table
        items={query.data ?? []}
        trackBy={(filter) => destinationText(filter)}
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            variant="h2"
            description={text.hint}
            actions={<Button onClick={() => setIsOpen(true)}>{text.set}</Button>}
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          {
            id: "destination",
            header: strings.replication.backfills.destination,
            isRowHeader: true,
            cell: (filter) => destinationText(filter),
          },
          { id: "patterns", header: text.patterns, cell: ({ tagPatternList }) => tagPatternList.join(", ") },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: (filter) => (
              <Button
                variant="inline-link"
                ariaLabel={text.removeOne(destinationText(filter))}
                onClick={() => remove(filter)}
              >
                {text.remove}
              </Button>
            ),
          },
        ]}
        empty={text.empty}
      />
      {dialog}
      {isOpen ? <SetFilter onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

const NOWHERE: Destination = { region: "", registryId: "" };

function SetFilter({ onClose }: { onClose: () => void }) {
  const [destination, setDestination] = useState<Destination>();
  const [patterns, setPatterns] = useState<string[]>([]);
  const change = putTagFilter(destination ?? NOWHERE, patterns);
  const save = useAction(() => perform(change), { stale: [TAG_FILTERS], said: () => text.saved, then: onClose });
  return (
    <Dialog
      title={text.set}
      submit={strings.frame.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={destination === undefined}
      error={save.error}
      changes={[change]}
    >
      <DestinationField value={destination} onChange={setDestination} />
      <Lines label={text.patterns} hint={text.patternsHint} values={patterns} onChange={setPatterns} />
    </Dialog>
  );
}
