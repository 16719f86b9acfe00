import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { RepositoryCreationTemplate } from "../../api/registry";
import { deleteTemplate } from "../../lib/template-form";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { LinkButton } from "../../parts/iam/LinkButton";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { Pager } from "../../parts/Pager";
import { usePaging } from "../../parts/useUrlState";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { TEMPLATES, templatesQuery } from "./queries";

const text = strings.templates;

const COLUMNS: TableProps.ColumnDefinition<RepositoryCreationTemplate>[] = [
  {
    id: "prefix",
    header: text.columns.prefix,
    isRowHeader: true,
    cell: ({ prefix = "" }) => <LinkTo to={`/templates/${encodeURIComponent(prefix)}`}>{prefix}</LinkTo>,
  },
  {
    id: "applied",
    header: text.columns.appliedFor,
    cell: ({ appliedFor = [] }) => appliedFor.map((each) => text.scenarios[each] ?? each).join(", "),
  },
  {
    id: "mutability",
    header: text.columns.mutability,
    cell: ({ imageTagMutability = "" }) => strings.repositories.mutability[imageTagMutability] ?? imageTagMutability,
  },
  {
    id: "description",
    header: text.columns.description,
    cell: ({ description = "" }) => (description === "" ? strings.frame.none : description),
  },
  { id: "changed", header: text.columns.changed, cell: ({ updatedAt }) => <Time time={updatedAt} /> },
];

/** The registry's templates, in the API's order: by prefix. */
export default function Templates() {
  const paging = usePaging();
  const query = useQuery({ ...templatesQuery(paging.token), placeholderData: keepPreviousData });
  const [chosen, setChosen] = useState<RepositoryCreationTemplate>();
  const { ask, dialog } = useConfirm([TEMPLATES]);
  const prefix = query.data?.items.find((item) => item.prefix === chosen?.prefix)?.prefix;
  const remove = (name: string) =>
    ask({
      title: text.deleteTitle(name),
      text: text.deleteText,
      submit: text.delete,
      changes: [deleteTemplate(name)],
      said: text.deleted(name),
    });
  return (
    <Page
      title={text.title}
      description={text.description}
      actions={
        <SpaceBetween size="xs" direction="horizontal">
          <Button disabled={prefix === undefined} onClick={() => prefix !== undefined && remove(prefix)}>
            {text.delete}
          </Button>
          <LinkButton to="/templates/create" variant="primary">
            {text.create}
          </LinkButton>
        </SpaceBetween>
      }
    >
      {query.error === null ? (
        <Table
          items={query.data?.items ?? []}
          columnDefinitions={COLUMNS}
          trackBy="prefix"
          loading={query.isPending}
          loadingText={strings.frame.loading}
          selectionType="single"
          selectedItems={chosen === undefined ? [] : [chosen]}
          onSelectionChange={({ detail }) => setChosen(detail.selectedItems[0])}
          ariaLabels={{
            tableLabel: text.caption,
            selectionGroupLabel: text.caption,
            itemSelectionLabel: (_, item) => item.prefix ?? "",
          }}
          wrapLines
          pagination={
            <Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />
          }
          empty={
            <Box textAlign="center" padding="l">
              <Box variant="strong">{text.empty}</Box>
              <Box variant="p">{text.emptyHint}</Box>
            </Box>
          }
        />
      ) : (
        <Failure error={query.error} retry={() => void query.refetch()} />
      )}
      {dialog}
    </Page>
  );
}
