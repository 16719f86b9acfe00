import Header from "@cloudscape-design/components/header";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  listPrincipalUsage,
  listRepositoryUsage,
  type Page,
  type PrincipalUsage,
  type Range,
  type RepositoryUsage,
} from "../../api/history";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Pager } from "../../parts/Pager";
import { Size } from "../../parts/Values";
import { strings } from "../../strings";

const text = strings.usage;

interface Props<T> {
  title: string;
  caption: string;
  empty: string;
  range: Range;
  read: (range: Range, token: string | undefined, signal?: AbortSignal) => Promise<Page<T>>;
  columns: TableProps.ColumnDefinition<T>[];
}

/** A list of usage, page by page. */
function UsageTable<T>({ title, caption, empty, range, read, columns }: Props<T>) {
  const [tokens, setTokens] = useState<string[]>([]);
  const token = tokens.at(-1);
  const query = useQuery({
    queryKey: ["usage", title, range, token],
    queryFn: ({ signal }) => read(range, token, signal),
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
      columnDefinitions={columns}
      loading={query.isPending}
      loadingText={strings.frame.loading}
      wrapLines
      ariaLabels={{ tableLabel: caption }}
      header={<Header variant="h2">{title}</Header>}
      pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
      empty={empty}
    />
  );
}

interface Transfer {
  sentBytes: number;
  receivedBytes: number;
  pullCount: number;
  pushCount: number;
}

const transfer = <T extends Transfer>(): TableProps.ColumnDefinition<T>[] => [
  { id: "sent", header: text.columns.sent, cell: (one) => <Size bytes={one.sentBytes} /> },
  { id: "received", header: text.columns.received, cell: (one) => <Size bytes={one.receivedBytes} /> },
  { id: "pulls", header: text.columns.pulls, cell: (one) => one.pullCount.toLocaleString() },
  { id: "pushes", header: text.columns.pushes, cell: (one) => one.pushCount.toLocaleString() },
];

const REPOSITORY_COLUMNS: TableProps.ColumnDefinition<RepositoryUsage>[] = [
  {
    id: "repository",
    header: text.columns.repository,
    isRowHeader: true,
    cell: ({ repositoryName }) => <LinkTo to={repositoryPath(repositoryName)}>{repositoryName}</LinkTo>,
  },
  { id: "images", header: text.columns.images, cell: ({ imageCount }) => imageCount.toLocaleString() },
  { id: "stored", header: text.columns.stored, cell: ({ storedBytes }) => <Size bytes={storedBytes} /> },
  { id: "shared", header: text.columns.shared, cell: ({ sharedBytes }) => <Size bytes={sharedBytes} /> },
  ...transfer<RepositoryUsage>(),
];

const PRINCIPAL_COLUMNS: TableProps.ColumnDefinition<PrincipalUsage>[] = [
  { id: "principal", header: text.columns.principal, isRowHeader: true, cell: ({ principalArn }) => principalArn },
  ...transfer<PrincipalUsage>(),
];

export const RepositoryTable = ({ range }: { range: Range }) => (
  <UsageTable
    title={text.byRepository}
    caption={text.repositoriesCaption}
    empty={text.noRepositories}
    range={range}
    read={listRepositoryUsage}
    columns={REPOSITORY_COLUMNS}
  />
);

export const PrincipalTable = ({ range }: { range: Range }) => (
  <UsageTable
    title={text.byPrincipal}
    caption={text.principalsCaption}
    empty={text.noPrincipals}
    range={range}
    read={listPrincipalUsage}
    columns={PRINCIPAL_COLUMNS}
  />
);
