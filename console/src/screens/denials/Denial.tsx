import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { explain, propose } from "../../api/denials";
import { Failure } from "../../parts/Failure";
import { Page } from "../../parts/Page";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { Changes } from "./Changes";
import { Steps } from "./Steps";

/** One denied request: what it was, the policy type that stopped it, and what would allow it. */
export default function Denial() {
  const text = strings.denials;
  const requestId = useParams()["requestId"] ?? "";
  const denial = useQuery({
    queryKey: ["denial", requestId],
    queryFn: ({ signal }) => explain(requestId, signal),
    retry: false,
  });
  const proposal = useQuery({
    queryKey: ["proposal", requestId],
    queryFn: ({ signal }) => propose(requestId, signal),
    retry: false,
  });
  const found = denial.data;
  const pairs = [
    { label: text.columns.action, value: found?.action },
    { label: text.columns.principal, value: found?.principalArn },
    { label: text.columns.resource, value: found?.resourceArn },
    { label: text.time, value: found === undefined ? undefined : <Time time={new Date(found.requestTime * 1000)} /> },
    { label: text.columns.decision, value: found === undefined ? undefined : text.decisions[found.decision] },
    { label: text.requestId, value: requestId },
    { label: text.reason, value: found?.reason },
  ];
  return (
    <Page title={text.one(found?.action ?? requestId)} crumbs={[{ text: text.title, to: "/denials" }]}>
      <Container header={<Header variant="h2">{text.request}</Header>}>
        {denial.error !== null ? <Failure error={denial.error} /> : <KeyValuePairs columns={2} items={pairs} />}
      </Container>
      <Container header={<Header variant="h2">{text.chain}</Header>}>
        {proposal.error !== null ? (
          <Failure error={proposal.error} />
        ) : proposal.data === undefined ? (
          <StatusIndicator type="loading">{text.chainLoading}</StatusIndicator>
        ) : (
          <Steps steps={proposal.data.steps} />
        )}
      </Container>
      {proposal.data === undefined ? null : (
        <Container header={<Header variant="h2">{text.proposal}</Header>}>
          <SpaceBetween size="m">
            {proposal.data.note === undefined ? null : <Box>{proposal.data.note}</Box>}
            {proposal.data.changes.length === 0 && proposal.data.decision !== "Allowed" ? (
              <Box>{text.noProposal}</Box>
            ) : null}
            <Changes changes={proposal.data.changes} onPropose={() => void proposal.refetch()} />
          </SpaceBetween>
        </Container>
      )}
    </Page>
  );
}
