import Box from "@cloudscape-design/components/box";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { KeyRow, KeyUsers, Rotation } from "../../api/kms";
import { Failure } from "../../parts/Failure";
import { LinkButton } from "../../parts/iam/LinkButton";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { Pager } from "../../parts/Pager";
import { usePaging } from "../../parts/useUrlState";
import { strings } from "../../strings";
import { aliasesQuery, keyPath, keysQuery, usersQuery } from "./queries";
import { State } from "./State";

const text = strings.keys;

/** The keys of this account and region, in the API's order: by id. */
export default function Keys() {
  const paging = usePaging();
  const query = useQuery({ ...keysQuery(paging.token), placeholderData: keepPreviousData });
  const aliases = useQuery(aliasesQuery());
  const users = useQuery(usersQuery());
  return (
    <Page
      title={text.title}
      description={text.description}
      actions={
        <LinkButton to="/keys/create" variant="primary">
          {text.create}
        </LinkButton>
      }
    >
      {aliases.error === null ? null : <Failure error={aliases.error} retry={() => void aliases.refetch()} />}
      {users.error === null ? null : <Failure error={users.error} retry={() => void users.refetch()} />}
      {query.error === null ? (
        <Table
          items={query.data?.items ?? []}
          trackBy={({ key }) => key.KeyId}
          loading={query.isPending}
          loadingText={strings.frame.loading}
          wrapLines
          ariaLabels={{ tableLabel: text.caption }}
          columnDefinitions={[
            {
              id: "key",
              header: text.columns.key,
              isRowHeader: true,
              minWidth: 140,
              cell: ({ key }) => <Name row={key.KeyId} names={aliases.data?.get(key.KeyId) ?? []} />,
            },
            { id: "state", header: text.columns.state, minWidth: 120, cell: ({ key }) => <State state={key.KeyState} /> },
            {
              id: "description",
              header: text.columns.description,
              cell: ({ key: { Description = "" } }) => (Description === "" ? strings.frame.none : Description),
            },
            { id: "rotation", header: text.columns.rotation, cell: ({ rotation }) => rotationText(rotation) },
            { id: "tags", header: text.columns.tags, cell: tagsText },
            { id: "usedBy", header: text.columns.usedBy, cell: ({ key }) => usedByText(key.Arn, users.data) },
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
    </Page>
  );
}

/** A key's aliases, or its id where it has none. */
function Name({ row, names }: { row: string; names: readonly string[] }) {
  return (
    <>
      <LinkTo to={keyPath(row)}>{names.length === 0 ? row : names.join(", ")}</LinkTo>
      {names.length === 0 ? null : <Box variant="small">{row}</Box>}
    </>
  );
}

function rotationText({ KeyRotationEnabled, RotationPeriodInDays: days }: Rotation): string {
  if (!KeyRotationEnabled) return text.off;
  return days === undefined ? strings.frame.none : text.everyDays(days);
}

function tagsText({ tags }: KeyRow): string {
  return tags.length === 0 ? strings.frame.none : tags.map(({ key, value }) => `${key}=${value}`).join(", ");
}

function usedByText(arn: string, users: KeyUsers | undefined): string {
  if (users === undefined) return strings.frame.none;
  const names = users.byKey.get(arn) ?? [];
  const count = names.length === 0 && !users.isPartial ? text.nobody : text.repositories(names.length);
  return users.isPartial ? text.atLeast(count) : count;
}
