import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { noop, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Repository } from "../../api/ecr";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Pager } from "../../parts/Pager";
import { CopiedName, Time } from "../../parts/Values";
import { useTyped } from "../../parts/useTyped";
import { usePaging, useUrlState } from "../../parts/useUrlState";
import { repositoryPath } from "../../lib/paths";
import { strings } from "../../strings";
import { repositoriesQuery } from "./queries";

const text = strings.repositories;

const COLUMNS: TableProps.ColumnDefinition<Repository>[] = [
  {
    id: "name",
    header: text.columns.name,
    isRowHeader: true,
    cell: ({ repositoryName = "" }) => <LinkTo to={repositoryPath(repositoryName)}>{repositoryName}</LinkTo>,
  },
  {
    id: "uri",
    header: text.columns.uri,
    cell: ({ repositoryUri = "", repositoryName = "" }) => (
      <CopiedName name={repositoryUri} label={text.copyUri(repositoryName)} />
    ),
  },
  { id: "created", header: text.columns.createdAt, cell: ({ createdAt }) => <Time time={createdAt} /> },
  {
    id: "mutability",
    header: text.columns.mutability,
    cell: ({ imageTagMutability = "" }) => text.mutability[imageTagMutability] ?? imageTagMutability,
  },
  {
    id: "scan",
    header: text.columns.scan,
    cell: ({ imageScanningConfiguration }) => (imageScanningConfiguration?.scanOnPush === true ? text.on : text.off),
  },
  {
    id: "encryption",
    header: text.columns.encryption,
    cell: ({ encryptionConfiguration }) => encryptionConfiguration?.encryptionType ?? strings.frame.none,
  },
];

interface Props {
  chosen: Repository | undefined;
  onChoose: (repository: Repository | undefined) => void;
}

/** One page of repositories, in the API's order: by name. */
export function RepositoryTable({ chosen, onChoose }: Props) {
  const [filter] = useUrlState("filter");
  const paging = usePaging();
  const queries = useQueryClient();
  // A page stays until the next one is there; rows of another search do not.
  const query = useQuery({
    ...repositoriesQuery(filter, paging.token),
    placeholderData: (data, before) => (before?.queryKey[1] === filter ? data : undefined),
  });
  const nextToken = query.data?.nextToken;
  useEffect(() => {
    // The next page is there before it is asked for. A search is not repeated unasked.
    if (nextToken !== undefined && filter === "") queries.query(repositoriesQuery("", nextToken)).catch(noop);
  }, [nextToken, filter, queries]);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <Table
      items={query.data?.items ?? []}
      columnDefinitions={COLUMNS}
      trackBy="repositoryArn"
      loading={query.isPending}
      loadingText={strings.frame.loading}
      selectionType="single"
      selectedItems={chosen === undefined ? [] : [chosen]}
      onSelectionChange={({ detail }) => onChoose(detail.selectedItems[0])}
      ariaLabels={{
        tableLabel: text.caption,
        selectionGroupLabel: text.caption,
        itemSelectionLabel: (_, { repositoryName = "" }) => repositoryName,
      }}
      variant="full-page"
      wrapLines
      filter={<Filter />}
      pagination={<Pager paging={paging} nextToken={nextToken} isLoading={query.isPlaceholderData} />}
      footer={
        filter !== "" && query.data !== undefined ? (
          <SpaceBetween size="xs" direction="horizontal" alignItems="center">
            <span role="status">{text.searched(query.data.searched)}</span>
            {nextToken === undefined ? null : (
              <Button loading={query.isPlaceholderData} onClick={() => paging.next(nextToken)}>
                {text.searchOn}
              </Button>
            )}
          </SpaceBetween>
        ) : undefined
      }
      empty={<Empty isFiltered={filter !== "" || paging.token !== undefined} />}
    />
  );
}

function Filter() {
  const [filter] = useUrlState("filter");
  const paging = usePaging();
  const [typed, setTyped] = useTyped(filter, (name) => paging.filter("filter", name.trim()));
  return (
    <TextFilter
      filteringText={typed}
      filteringAriaLabel={text.filter}
      filteringPlaceholder={text.filterHint}
      onChange={({ detail }) => setTyped(detail.filteringText)}
      countText=""
    />
  );
}

function Empty({ isFiltered }: { isFiltered: boolean }) {
  return (
    <Box textAlign="center" padding="l">
      <Box variant="strong">{isFiltered ? text.noMatch : text.empty}</Box>
      {isFiltered ? null : <Box variant="p">{text.emptyHint}</Box>}
    </Box>
  );
}
