import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { deleteRule } from "../../lib/pull-through";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { LinkButton } from "../../parts/iam/LinkButton";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { Pager } from "../../parts/Pager";
import { usePaging } from "../../parts/useUrlState";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { Credentials, Upstream } from "./parts";
import { RULES, rulePath, rulesQuery } from "./queries";
import { useTest } from "./Tested";

const text = strings.pullThrough;

/** The rules, in the API's order: by prefix. */
export default function PullThrough() {
  const paging = usePaging();
  const query = useQuery({ ...rulesQuery(paging.token), placeholderData: keepPreviousData });
  const { test, isRunning, result } = useTest();
  const { ask, dialog } = useConfirm([RULES]);
  const remove = (prefix: string) =>
    ask({
      title: text.deleteTitle(prefix),
      text: text.deleteText,
      submit: text.delete,
      changes: [deleteRule(prefix)],
      said: text.deleted(prefix),
    });
  return (
    <Page
      title={text.title}
      description={text.description}
      actions={
        <LinkButton to="/pull-through/create" variant="primary">
          {text.create}
        </LinkButton>
      }
    >
      {result}
      {query.error === null ? (
        <Table
          items={query.data?.items ?? []}
          trackBy="ecrRepositoryPrefix"
          loading={query.isPending}
          loadingText={strings.frame.loading}
          wrapLines
          ariaLabels={{ tableLabel: text.caption }}
          columnDefinitions={[
            {
              id: "prefix",
              header: text.columns.prefix,
              isRowHeader: true,
              cell: ({ ecrRepositoryPrefix: prefix = "" }) => <LinkTo to={rulePath(prefix)}>{prefix}</LinkTo>,
            },
            { id: "upstream", header: text.columns.upstream, cell: (rule) => <Upstream rule={rule} /> },
            { id: "credentials", header: text.columns.credentials, cell: (rule) => <Credentials rule={rule} /> },
            {
              id: "changed",
              header: text.columns.changed,
              cell: ({ updatedAt, createdAt }) => <Time time={updatedAt ?? createdAt} />,
            },
            {
              id: "actions",
              header: strings.iam.actions,
              cell: ({ ecrRepositoryPrefix: prefix = "" }) => (
                <SpaceBetween direction="horizontal" size="s">
                  <Button
                    variant="inline-link"
                    ariaLabel={text.testOne(prefix)}
                    disabled={isRunning}
                    onClick={() => test(prefix)}
                  >
                    {text.test}
                  </Button>
                  <Button variant="inline-link" ariaLabel={text.deleteTitle(prefix)} onClick={() => remove(prefix)}>
                    {text.delete}
                  </Button>
                </SpaceBetween>
              ),
            },
          ]}
          pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
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
