import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { keepPreviousData, useQuery, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { useLocation, useSearchParams } from "react-router";
import type { IamPage } from "../../api/iam/collect";
import { earlierOf, nextPage, previousPage, search, type PageState } from "../../lib/marker-pages";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { useTyped } from "../useTyped";

interface Props<Item> {
  queryKey: QueryKey;
  /** In the plural, lower case: "users". */
  what: string;
  title: string;
  description?: string;
  load: (marker: string | undefined, size: number, signal: AbortSignal) => Promise<IamPage<Item>>;
  nameOf: (item: Item) => string;
  idOf?: (item: Item) => string;
  columns: TableProps.ColumnDefinition<Item>[];
  actions?: ReactNode;
  /** Other filters, beside the name. */
  filter?: ReactNode;
}

const PAGE_SIZE = 50;
const SEARCH_PAGE_SIZE = 1000;
const SEARCH_PAGES_MAX = 10;
const SEARCH_FOUND_MAX = 200;

/** A list of IAM, page by page from the server. The name that is looked for and the page are in the address. */
export function IamTable<Item>(props: Props<Item>) {
  const { queryKey, what, title, description, load, nameOf, columns, actions, filter } = props;
  const text = strings.iamTable;
  const [params, setParams] = useSearchParams();
  const location = useLocation();
  const wanted = params.get("find") ?? "";
  const now: PageState = { marker: params.get("marker") ?? undefined, earlier: earlierOf(location.state) };
  const go = (page: PageState) =>
    setParams(
      (old) => {
        old.delete("marker");
        if (page.marker !== undefined) old.set("marker", page.marker);
        return old;
      },
      { state: { earlier: page.earlier } },
    );
  const find = (name: string) =>
    setParams(
      (old) => {
        old.delete("marker");
        old.delete("find");
        if (name !== "") old.set("find", name);
        return old;
      },
      { replace: true },
    );
  const [typed, setTyped] = useTyped(wanted, find);
  const page = useQuery({
    queryKey: [...queryKey, "page", now.marker ?? ""],
    queryFn: ({ signal }) => load(now.marker, PAGE_SIZE, signal),
    enabled: wanted === "",
    placeholderData: keepPreviousData,
  });
  const lower = wanted.toLowerCase();
  const found = useQuery({
    queryKey: [...queryKey, "search", lower],
    queryFn: ({ signal }) =>
      search(
        (marker) => load(marker, SEARCH_PAGE_SIZE, signal),
        (item) => nameOf(item).toLowerCase().includes(lower),
        SEARCH_PAGES_MAX,
        SEARCH_FOUND_MAX,
      ),
    enabled: wanted !== "",
    placeholderData: keepPreviousData,
  });
  const queries = useQueryClient();
  const next = wanted === "" && !page.isPlaceholderData ? page.data?.marker : undefined;
  // The next page is there before it is asked for.
  useEffect(() => {
    if (next === undefined) return;
    const ahead = queries.query({
      queryKey: [...queryKey, "page", next],
      queryFn: ({ signal }) => load(next, PAGE_SIZE, signal),
    });
    // Whoever goes to the page asks again, and sees the failure.
    ahead.catch(() => undefined);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key says all that `load` depends on
  }, [next, JSON.stringify(queryKey)]);

  const shown = wanted === "" ? page : found;
  const items: readonly Item[] = shown.data?.items ?? [];
  if (shown.error !== null) return <Failure error={shown.error} retry={() => void shown.refetch()} />;
  const isFirst = now.marker === undefined;
  return (
    <SpaceBetween size="s">
      {wanted !== "" && found.data?.isPartial === true ? <Alert type="info">{text.partial}</Alert> : null}
      <Table
        variant="container"
        items={items}
        trackBy={props.idOf ?? nameOf}
        columnDefinitions={columns}
        loading={shown.isPending}
        loadingText={strings.iam.loading}
        ariaLabels={{ tableLabel: title }}
        empty={<Box textAlign="center">{wanted === "" ? text.empty(what) : text.noMatch(wanted)}</Box>}
        header={
          <Header
            description={description}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel={text.refresh} onClick={() => void shown.refetch()} />
                {actions}
              </SpaceBetween>
            }
          >
            {title}
          </Header>
        }
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <TextFilter
              filteringText={typed}
              filteringAriaLabel={text.find(what)}
              filteringPlaceholder={text.find(what)}
              filteringClearAriaLabel={text.clear}
              onChange={(event) => setTyped(event.detail.filteringText)}
            />
            {filter}
          </SpaceBetween>
        }
        footer={
          wanted !== "" || (isFirst && next === undefined) ? undefined : (
            <Box textAlign="center">
              <SpaceBetween direction="horizontal" size="xs">
                <Button disabled={isFirst} onClick={() => go(previousPage(now))}>
                  {isFirst || now.earlier.length > 0 ? text.previous : text.first}
                </Button>
                <Button
                  disabled={next === undefined}
                  onClick={() => {
                    if (next !== undefined) go(nextPage(now, next));
                  }}
                >
                  {text.next}
                </Button>
              </SpaceBetween>
            </Box>
          )
        }
      />
    </SpaceBetween>
  );
}
