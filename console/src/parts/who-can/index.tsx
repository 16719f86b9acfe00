/**
 * Who may perform an action on a resource: `<WhoCan resource={repositoryArn} />`. The action stands in the address.
 */

import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { listAllowed, type AllowedPrincipal } from "../../api/denials";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { Pager } from "../Pager";
import { Sentence, ShortArn } from "../Values";
import { useTyped } from "../useTyped";
import { usePaging, useUrlState } from "../useUrlState";

const ACTIONS = ["ecr:PutImage", "ecr:BatchGetImage", "ecr:BatchDeleteImage", "ecr:SetRepositoryPolicy", "ecr:DeleteRepository"];

export function WhoCan({ resource }: { resource: string }) {
  const text = strings.whoCan;
  const paging = usePaging();
  const [action] = useUrlState("action", ACTIONS[0]);
  const [typed, setTyped] = useTyped(action, (written) => {
    // Without a parameter the address means the first action, not none.
    if (written !== "") paging.filter("action", written);
  });
  // A field without an action asks nothing, and the answers to another action would be wrong beside it.
  const isAction = typed !== "" && action.includes(":");
  const query = useQuery({
    queryKey: ["who-can", action, resource, paging.token],
    queryFn: ({ signal }) => listAllowed(action, resource, paging.token, signal),
    enabled: isAction,
    retry: false,
  });
  const answer = isAction ? query.data : undefined;
  return (
    <SpaceBetween size="m">
      <Header variant="h2" description={text.description}>
        {text.title}
      </Header>
      <FormField label={text.action}>
        <Autosuggest
          ariaLabel={text.action}
          value={typed}
          options={ACTIONS.map((value) => ({ value }))}
          enteredTextLabel={strings.policyEditor.useValue}
          onChange={({ detail }) => setTyped(detail.value)}
        />
      </FormField>
      {isAction && query.error !== null ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Table
          ariaLabels={{ tableLabel: text.table }}
          items={answer?.principals ?? []}
          loading={query.isFetching && answer === undefined}
          loadingText={text.loading}
          empty={isAction ? text.empty : text.noAction}
          wrapLines
          pagination={<Pager paging={paging} nextToken={answer?.nextToken} isLoading={query.isPlaceholderData} />}
          columnDefinitions={COLUMNS}
        />
      )}
    </SpaceBetween>
  );
}

const words = strings.whoCan;

const COLUMNS = [
  { id: "principal", header: words.principal, isRowHeader: true, cell: (one: AllowedPrincipal) => <ShortArn arn={one.principalArn} /> },
  { id: "kind", header: words.kind, cell: (one: AllowedPrincipal) => words.kinds[one.principalKind] },
  { id: "access", header: words.access, cell: (one: AllowedPrincipal) => words.accesses[one.access] },
  { id: "reason", header: words.reason, cell: (one: AllowedPrincipal) => <Sentence text={one.reason} /> },
  { id: "conditions", header: words.conditions, cell: (one: AllowedPrincipal) => (one.conditions.length === 0 ? strings.frame.none : one.conditions.join("; ")) },
];
