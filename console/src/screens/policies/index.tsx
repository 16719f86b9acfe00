import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useSearchParams } from "react-router";
import { from, markerOf } from "../../api/iam/collect";
import { listPolicies } from "../../api/iam/policies";
import { IamTable } from "../../parts/iam/IamTable";
import { listKey } from "../../parts/iam/keys";
import { LinkButton } from "../../parts/iam/LinkButton";
import { Time } from "../../parts/Values";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";

const SCOPES = ["Local", "AWS", "All"] as const;

/** The managed policies, page by page. */
export default function Policies() {
  const text = strings.policies;
  const [params, setParams] = useSearchParams();
  const scope = SCOPES.find((known) => known === params.get("scope")) ?? "Local";
  const options = SCOPES.map((value) => ({ value, label: text.scopes[value] }));
  return (
    <Page title={text.title} description={text.description}>
      <IamTable
        queryKey={[...listKey("policies"), scope]}
        what={text.what}
        title={text.title}
        load={async (marker, MaxItems, signal) => {
          const answer = await listPolicies({ Scope: scope, MaxItems, ...from(marker) }, signal);
          return { items: answer.Policies ?? [], marker: markerOf(answer) };
        }}
        nameOf={(policy) => policy.PolicyName ?? ""}
        idOf={(policy) => policy.Arn ?? ""}
        filter={
          <FormField>
            <Select
              ariaLabel={text.scope}
              options={options}
              selectedOption={options.find(({ value }) => value === scope) ?? null}
              onChange={(event) => setParams({ scope: event.detail.selectedOption.value ?? "Local" })}
            />
          </FormField>
        }
        actions={
          <LinkButton to="/policies/create" variant="primary">
            {text.create}
          </LinkButton>
        }
        columns={[
          {
            id: "name",
            header: text.name,
            isRowHeader: true,
            cell: ({ Arn = "", PolicyName = "" }) => (
              <LinkTo to={`/policies/${encodeURIComponent(Arn)}`}>{PolicyName}</LinkTo>
            ),
          },
          { id: "attachments", header: text.attachments, cell: (policy) => policy.AttachmentCount ?? 0 },
          { id: "description", header: strings.iam.description, cell: (policy) => policy.Description ?? strings.iam.none },
          { id: "created", header: strings.iam.created, cell: (policy) => <Time time={policy.CreateDate} /> },
        ]}
      />
    </Page>
  );
}
