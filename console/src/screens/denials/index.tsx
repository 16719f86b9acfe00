import Input from "@cloudscape-design/components/input";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Select from "@cloudscape-design/components/select";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { listGroups, type DenialGroup, type Filter } from "../../api/denials";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { Pager } from "../../parts/Pager";
import { ShortArn, Time } from "../../parts/Values";
import { useTyped } from "../../parts/useTyped";
import { usePaging, useUrlState } from "../../parts/useUrlState";
import { strings } from "../../strings";

/** The list is asked again this often, so that new denials appear. */
const REFRESH_MS = 10_000;

const HOURS: Record<string, number> = { hour: 1, day: 24 };

/** Denied requests by cause. The filters stand in the address. */
export default function Denials() {
  const text = strings.denials;
  const paging = usePaging();
  const [principal] = useUrlState("principal");
  const [action] = useUrlState("action");
  const [resource] = useUrlState("resource");
  const [since] = useUrlState("since");
  const filters = { principal, action, resource, since };
  const query = useQuery({
    queryKey: ["denial-groups", filters, paging.token],
    queryFn: ({ signal }) => listGroups(filterOf(filters), paging.token, signal),
    // Pages after the first stay as they were opened.
    refetchInterval: paging.token === undefined ? REFRESH_MS : false,
  });
  const options = Object.entries(text.filters.sinceOptions).map(([value, label]) => ({ value, label }));
  const quarter = { default: 12, xs: 6, m: 3 };
  return (
    <Page title={text.title} description={text.description}>
      <Grid gridDefinition={Array.from({ length: 4 }, () => ({ colspan: quarter }))}>
        <Written name="principal" />
        <Written name="action" />
        <Written name="resource" />
        <FormField label={text.filters.since}>
          <Select
            selectedOption={options.find(({ value }) => value === since) ?? null}
            options={options}
            onChange={({ detail }) => paging.filter("since", detail.selectedOption.value ?? "")}
          />
        </FormField>
      </Grid>
      {query.error !== null ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Table
          ariaLabels={{ tableLabel: text.table }}
          items={query.data?.groups ?? []}
          trackBy="requestId"
          loading={query.isPending}
          loadingText={text.loading}
          empty={text.empty}
          wrapLines
          pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
          columnDefinitions={COLUMNS}
        />
      )}
    </Page>
  );
}

/** A filter that is typed. */
function Written({ name }: { name: "principal" | "action" | "resource" }) {
  const paging = usePaging();
  const [value] = useUrlState(name);
  const [typed, setTyped] = useTyped(value, (written) => paging.filter(name, written.trim()));
  return (
    <FormField label={strings.denials.filters[name]}>
      <Input type="search" value={typed} onChange={({ detail }) => setTyped(detail.value)} />
    </FormField>
  );
}

function filterOf({ principal, action, resource, since }: Record<string, string>): Filter {
  const hours = HOURS[since ?? ""];
  return {
    // The service takes whole ARNs; shorter texts are still being written.
    ...(principal !== undefined && principal.length >= 20 ? { principalArn: principal } : {}),
    ...(action === undefined || action === "" ? {} : { action }),
    ...(resource === undefined || resource === "" ? {} : { resourceArn: resource }),
    ...(hours === undefined ? {} : { startTime: Math.floor(Date.now() / 1000) - hours * 3600 }),
  };
}

const columns = strings.denials.columns;

const COLUMNS = [
  {
    id: "action",
    header: columns.action,
    cell: (group: DenialGroup) => (
      <LinkTo to={`/denials/${encodeURIComponent(group.requestId)}`} ariaLabel={strings.denials.open(group.action)}>
        {group.action}
      </LinkTo>
    ),
    isRowHeader: true,
  },
  { id: "principal", header: columns.principal, cell: (group: DenialGroup) => <ShortArn arn={group.principalArn} /> },
  { id: "resource", header: columns.resource, cell: (group: DenialGroup) => <ShortArn arn={group.resourceArn} /> },
  { id: "decision", header: columns.decision, cell: (group: DenialGroup) => strings.denials.decisions[group.decision] },
  { id: "count", header: columns.count, cell: (group: DenialGroup) => group.count },
  { id: "last", header: columns.last, cell: (group: DenialGroup) => <Time time={new Date(group.lastTime * 1000)} /> },
  { id: "first", header: columns.first, cell: (group: DenialGroup) => <Time time={new Date(group.firstTime * 1000)} /> },
];
