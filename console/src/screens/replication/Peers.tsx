import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Peer } from "../../api/replication";
import { deletePeer, destinationText } from "../../lib/replication";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { LongName, Time } from "../../parts/Values";
import { strings } from "../../strings";
import { PeerDialog } from "./PeerDialog";
import { PEERS, peersQuery } from "./queries";

const text = strings.replication.peers;

/** Other servers that are destinations. */
export function Peers() {
  const query = useQuery(peersQuery());
  const [open, setOpen] = useState<Peer | "new">();
  const { ask, dialog } = useConfirm([PEERS]);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const remove = (peer: Peer) =>
    ask({
      title: text.deleteOne(destinationText(peer)),
      text: text.deleteText,
      submit: text.delete,
      changes: [deletePeer(peer)],
      said: text.deleted,
    });
  return (
    <>
      <Table
        items={query.data ?? []}
        trackBy={(peer) => destinationText(peer)}
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header
            variant="h2"
            description={text.hint}
            actions={<Button onClick={() => setOpen("new")}>{text.add}</Button>}
          >
            {text.title}
          </Header>
        }
        columnDefinitions={[
          {
            id: "destination",
            header: strings.replication.backfills.destination,
            isRowHeader: true,
            cell: (peer) => destinationText(peer),
          },
          { id: "endpoint", header: text.endpoint, cell: ({ endpoint }) => <LongName name={endpoint} /> },
          { id: "state", header: text.state, cell: (peer) => <State peer={peer} /> },
          { id: "waiting", header: text.waiting, cell: ({ waitingCount }) => waitingCount.toLocaleString() },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: (peer) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={text.editOne(destinationText(peer))}
                  onClick={() => setOpen(peer)}
                >
                  {strings.frame.edit}
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={text.deleteOne(destinationText(peer))}
                  onClick={() => remove(peer)}
                >
                  {text.delete}
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={text.empty}
      />
      {dialog}
      {open === undefined ? null : (
        <PeerDialog peer={open === "new" ? undefined : open} onClose={() => setOpen(undefined)} />
      )}
    </>
  );
}

/** What the last call of the peer came to. */
function State({ peer: { lastSuccessAt: success, lastFailureAt: failure, lastFailure = "" } }: { peer: Peer }) {
  if (success === undefined && failure === undefined) return <Box color="text-body-secondary">{text.never}</Box>;
  const isFailed = failure !== undefined && failure > (success ?? 0);
  return (
    <SpaceBetween size="xxs">
      <StatusIndicator type={isFailed ? "error" : "success"}>
        <Time time={new Date((isFailed ? failure : (success ?? 0)) * 1000)} />
      </StatusIndicator>
      {isFailed ? <Box color="text-body-secondary">{lastFailure}</Box> : null}
    </SpaceBetween>
  );
}
