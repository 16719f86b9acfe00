import Header from "@cloudscape-design/components/header";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listPulls, type ImagePulls } from "../../api/history";
import { shortDigest } from "../../lib/format";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Pager } from "../../parts/Pager";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";

const text = strings.activity;

/** Who pulled a repository's images in the last 30 days. The other list of the tab has the address's page. */
export function Pulls({ name }: { name: string }) {
  const [tokens, setTokens] = useState<string[]>([]);
  const token = tokens.at(-1);
  const query = useQuery({
    queryKey: [...repositoryKey(name), "pulls", token],
    queryFn: ({ signal }) => listPulls(name, token, signal),
  });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const paging = {
    token,
    hasPrevious: tokens.length > 0,
    next: (next: string) => setTokens([...tokens, next]),
    previous: () => setTokens(tokens.slice(0, -1)),
    filter: () => undefined,
  };
  return (
    <Table
      items={query.data?.items ?? []}
      columnDefinitions={columns(name)}
      loading={query.isPending}
      loadingText={strings.frame.loading}
      wrapLines
      ariaLabels={{ tableLabel: text.pullsCaption }}
      header={<Header variant="h2">{text.pulls}</Header>}
      pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
      empty={text.noPulls}
    />
  );
}

const columns = (name: string): TableProps.ColumnDefinition<ImagePulls>[] => [
  { id: "day", header: text.columns.day, cell: (pulls) => pulls.day },
  { id: "who", header: text.columns.who, isRowHeader: true, cell: (pulls) => pulls.principalArn },
  {
    id: "image",
    header: text.columns.image,
    cell: ({ imageDigest }) => (
      <LinkTo to={repositoryPath(name, { tab: "images", image: imageDigest })}>{shortDigest(imageDigest)}</LinkTo>
    ),
  },
  { id: "pulls", header: text.columns.pulls, cell: (pulls) => pulls.pullCount.toLocaleString() },
  { id: "last", header: text.columns.last, cell: (pulls) => <Time time={new Date(pulls.lastPulledAt * 1000)} /> },
];
