import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { listHosts } from "../../api/hosts";
import { perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { listKey } from "../../parts/iam/keys";
import { LinkButton } from "../../parts/iam/LinkButton";
import { Time } from "../../parts/Values";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

const PAGE_SIZE = 50;

const date = (seconds: number | undefined): Date | undefined =>
  seconds === undefined ? undefined : new Date(seconds * 1000);

/** The hosts that joined, page by page. */
export default function Hosts() {
  const text = strings.hosts;
  const [params, setParams] = useSearchParams();
  const token = params.get("token") ?? undefined;
  const [revoked, setRevoked] = useState<string>();
  const found = useQuery({
    queryKey: [...listKey("hosts"), token ?? ""],
    queryFn: ({ signal }) => listHosts(token, PAGE_SIZE, signal),
    placeholderData: keepPreviousData,
  });
  const next = found.data?.nextToken;
  return (
    <Page title={text.title} description={text.description}>
      {found.error === null ? (
        <Table
          variant="container"
          items={found.data?.hosts ?? []}
          trackBy="hostId"
          loading={found.isPending}
          loadingText={strings.iam.loading}
          empty={<Box textAlign="center">{text.empty}</Box>}
          ariaLabels={{ tableLabel: text.title }}
          header={
            <Header
              actions={
                <LinkButton to="/hosts/invite" variant="primary">
                  {text.invite}
                </LinkButton>
              }
            >
              {text.title}
            </Header>
          }
          columnDefinitions={[
            { id: "id", header: text.id, isRowHeader: true, cell: ({ hostId }) => hostId },
            { id: "name", header: text.name, cell: ({ hostName }) => hostName ?? strings.iam.none },
            {
              id: "profile",
              header: text.profile,
              cell: ({ instanceProfileArn }) => instanceProfileArn?.replace(/^.*\//, "") ?? strings.iam.none,
            },
            {
              id: "status",
              header: text.status,
              cell: ({ status }) => (
                <StatusIndicator type={status === "ACTIVE" ? "success" : "stopped"}>
                  {text.statuses[status]}
                </StatusIndicator>
              ),
            },
            { id: "joined", header: text.joined, cell: ({ joinedAt }) => <Time time={date(joinedAt)} /> },
            { id: "seen", header: text.seen, cell: ({ lastSeenAt }) => <Time time={date(lastSeenAt)} missing={strings.iam.never} /> },
            {
              id: "revoke",
              header: strings.iam.actions,
              cell: ({ hostId, status }) =>
                status === "ACTIVE" ? (
                  <Button
                    variant="inline-link"
                    ariaLabel={text.revokeHost(hostId)}
                    onClick={() => setRevoked(hostId)}
                  >
                    {text.revoke}
                  </Button>
                ) : (
                  strings.iam.none
                ),
            },
          ]}
          footer={
            token === undefined && next === undefined ? undefined : (
              <SpaceBetween direction="horizontal" size="xs">
                <Button disabled={token === undefined} onClick={() => setParams({})}>
                  {text.first}
                </Button>
                <Button
                  disabled={next === undefined}
                  onClick={() => {
                    if (next !== undefined) setParams({ token: next });
                  }}
                >
                  {text.next}
                </Button>
              </SpaceBetween>
            )
          }
        />
      ) : (
        <Failure error={found.error} retry={() => void found.refetch()} />
      )}
      {revoked === undefined ? null : <Revoke id={revoked} onClose={() => setRevoked(undefined)} />}
    </Page>
  );
}

function Revoke({ id, onClose }: { id: string; onClose: () => void }) {
  const text = strings.hosts;
  const [typed, setTyped] = useState("");
  const change = { service: "berth", operation: "RevokeHost", input: { hostId: id } };
  const action = useAction(() => perform(change), {
    stale: [listKey("hosts")],
    said: () => text.revoked(id),
    then: onClose,
  });
  return (
    <Dialog
      title={text.revokeTitle}
      submit={text.revoke}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      isDisabled={typed !== id}
      error={action.error}
      changes={[change]}
    >
      <Box>{text.revokeHint}</Box>
      <Field label={text.confirm(id)} value={typed} onChange={setTyped} placeholder={id} />
    </Dialog>
  );
}
