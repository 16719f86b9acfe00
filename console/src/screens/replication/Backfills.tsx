import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { perform } from "../../api/perform";
import type { ReplicationBackfillSummary } from "../../api/replication";
import { backfillType, destinationText, mayStop, startBackfill, stopBackfill, type Destination } from "../../lib/replication";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { Pager } from "../../parts/Pager";
import { useAction } from "../../parts/useAction";
import { usePaging, useUrlState } from "../../parts/useUrlState";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { DestinationField } from "./DestinationField";
import { Failures } from "./Failures";
import { BACKFILLS, backfillsQuery } from "./queries";

const text = strings.replication.backfills;

const placeOf = ({ destination }: ReplicationBackfillSummary): string =>
  destinationText({ region: destination?.region ?? "", registryId: destination?.registryId ?? "" });

/** Backfills, those that run with their progress. */
export function Backfills() {
  const paging = usePaging();
  const [shown, setShown] = useUrlState("backfill");
  const query = useQuery({ ...backfillsQuery(paging.token), placeholderData: keepPreviousData });
  const [isOpen, setIsOpen] = useState(false);
  const { ask, dialog } = useConfirm([BACKFILLS]);
  const stop = (backfill: ReplicationBackfillSummary) =>
    ask({
      title: text.stopOne(placeOf(backfill)),
      text: text.stopText,
      submit: text.stop,
      changes: [stopBackfill(backfill.replicationBackfillId ?? "")],
      said: text.stopped,
    });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Table
        items={query.data?.items ?? []}
        trackBy="replicationBackfillId"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.caption }}
        header={
          <Header
            variant="h2"
            description={text.hint}
            actions={<Button onClick={() => setIsOpen(true)}>{text.start}</Button>}
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          { id: "destination", header: text.destination, isRowHeader: true, cell: placeOf },
          {
            id: "status",
            header: text.status,
            cell: ({ status, failureCode }) => (
              <StatusIndicator type={backfillType(status)}>
                {[text.states[status ?? ""] ?? status, failureCode].filter((part) => part !== undefined).join(": ")}
              </StatusIndicator>
            ),
          },
          { id: "progress", header: text.progress, cell: (backfill) => <Progress backfill={backfill} /> },
          { id: "since", header: text.since, cell: ({ startedAt }) => <Time time={startedAt} /> },
          { id: "until", header: text.until, cell: ({ endedAt }) => <Time time={endedAt} /> },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: (backfill) =>
              mayStop(backfill.status) ? (
                <Button variant="inline-link" ariaLabel={text.stopOne(placeOf(backfill))} onClick={() => stop(backfill)}>
                  {text.stop}
                </Button>
              ) : (
                <Button
                  variant="inline-link"
                  ariaLabel={text.failuresOf(placeOf(backfill))}
                  onClick={() => setShown(backfill.replicationBackfillId ?? "", true)}
                >
                  {text.failures}
                </Button>
              ),
          },
        ]}
        pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
        empty={text.empty}
      />
      {shown === "" ? null : <Failures key={shown} id={shown} onClose={() => setShown("")} />}
      {dialog}
      {isOpen ? <Start onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function Progress({ backfill: { progress } }: { backfill: ReplicationBackfillSummary }) {
  if (progress == null) return <>{strings.frame.none}</>;
  const { completedReplicationCount: done = 0, totalReplicationCount: total = 0 } = progress;
  const { failedReplicationCount: failed = 0, failureCodes = [] } = progress;
  return (
    <SpaceBetween size="xxs">
      <span>{text.of(done, total)}</span>
      {failed === 0 ? null : <span>{text.failed(failed, failureCodes.join(", "))}</span>}
    </SpaceBetween>
  );
}

const NOWHERE: Destination = { region: "", registryId: "" };

function Start({ onClose }: { onClose: () => void }) {
  const [destination, setDestination] = useState<Destination>();
  const change = startBackfill(destination ?? NOWHERE);
  const start = useAction(() => perform(change), { stale: [BACKFILLS], said: () => text.started, then: onClose });
  return (
    <Dialog
      title={text.start}
      submit={text.start}
      onSubmit={() => start.run(undefined)}
      onClose={onClose}
      isRunning={start.isRunning}
      isDisabled={destination === undefined}
      error={start.error}
      changes={[change]}
    >
      <DestinationField value={destination} onChange={setDestination} />
    </Dialog>
  );
}
