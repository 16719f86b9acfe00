import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { ShortArn, Time, useTimeText } from "../../parts/Values";
import { strings } from "../../strings";
import { denialsOptions } from "./queries";

const DAY_MS = 24 * 60 * 60_000;
/** Rows; the screen of denials has the rest. */
const SHOWN = 10;

export function Denials() {
  const text = strings.home.denials;
  const textOf = useTimeText();
  const query = useQuery(denialsOptions);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  // Counted from when the list was read, so that a row does not go while it is read.
  const since = query.dataUpdatedAt - DAY_MS;
  const items = (query.data ?? []).map((denial) => ({ ...denial, time: new Date(denial.requestTime * 1000) }));
  return (
    <Table
      items={items.filter(({ time }) => time.getTime() >= since).slice(0, SHOWN)}
      loading={query.isPending}
      loadingText={strings.frame.loading}
      wrapLines
      header={<Header variant="h2">{text.title}</Header>}
      ariaLabels={{ tableLabel: text.caption }}
      empty={text.empty}
      columnDefinitions={[
        { id: "time", header: text.time, cell: ({ time }) => <Time time={time} /> },
        {
          id: "action",
          header: text.action,
          isRowHeader: true,
          cell: ({ action, requestId, time }) => (
            <LinkTo
              to={`/denials/${encodeURIComponent(requestId)}`}
              ariaLabel={text.explain(action, textOf(time))}
            >
              {action}
            </LinkTo>
          ),
        },
        { id: "principal", header: text.principal, cell: ({ principalArn }) => <ShortArn arn={principalArn} /> },
        { id: "resource", header: text.resource, cell: ({ resourceArn }) => <ShortArn arn={resourceArn} /> },
      ]}
    />
  );
}
