import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { listFailed, type FailedDelivery } from "../../api/events";
import { perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { Pager } from "../../parts/Pager";
import { useAction } from "../../parts/useAction";
import { usePaging } from "../../parts/useUrlState";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { FAILED, TARGETS } from "./keys";

const text = strings.events.failed;

/** Events that targets did not get, each with a button that tries it again. */
export function FailedDeliveries() {
  const paging = usePaging();
  const query = useQuery({
    queryKey: [...FAILED, paging.token],
    queryFn: () => listFailed(paging.token),
    placeholderData: keepPreviousData,
  });
  const retry = useAction(
    ({ targetName, deliveryId }: FailedDelivery) =>
      perform({
        service: "berth",
        operation: "RetryFailedEventDeliveries",
        input: { targetName, deliveryIds: [deliveryId] },
      }),
    { stale: [FAILED, TARGETS], said: () => text.retried, isLoud: true },
  );
  const { ask, dialog } = useConfirm([FAILED, TARGETS]);
  const purge = ({ targetName, deliveryId, detailType }: FailedDelivery) =>
    ask({
      title: text.purgeTitle,
      text: `${targetName}: ${detailType}. ${text.purgeText}`,
      submit: text.purge,
      changes: [
        { service: "berth", operation: "PurgeFailedEventDeliveries", input: { targetName, deliveryIds: [deliveryId] } },
      ],
      said: text.purged,
    });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Table
        items={query.data?.items ?? []}
        trackBy="deliveryId"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.title }}
        header={
          <Header variant="h2" description={text.description}>
            {text.title}
          </Header>
        }
        columnDefinitions={[
          { id: "target", header: text.target, isRowHeader: true, cell: ({ targetName }) => targetName },
          { id: "type", header: text.type, cell: ({ detailType }) => detailType },
          { id: "repository", header: text.repository, cell: ({ repositoryName }) => repositoryName ?? strings.iam.none },
          { id: "when", header: text.occurred, cell: ({ occurredAt }) => <Time time={new Date(occurredAt * 1000)} /> },
          { id: "attempts", header: text.attempts, cell: ({ attempts }) => attempts },
          { id: "reason", header: text.reason, cell: ({ reason }) => reason },
          {
            id: "retry",
            header: strings.iam.actions,
            cell: (delivery) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button
                  variant="inline-link"
                  ariaLabel={text.retryOne(delivery.deliveryId)}
                  disabled={retry.isRunning}
                  onClick={() => retry.run(delivery)}
                >
                  {text.retry}
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={text.purgeOne(delivery.deliveryId)}
                  onClick={() => purge(delivery)}
                >
                  {text.purge}
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
        empty={text.empty}
      />
      {dialog}
    </>
  );
}
