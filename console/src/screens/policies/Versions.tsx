import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { deletePolicyVersion, setDefaultPolicyVersion } from "../../api/iam/policies";
import { parse } from "../../lib/trust/document";
import { Failure } from "../../parts/Failure";
import { pretty } from "../../parts/iam/InlinePolicy";
import { policyKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { PolicyText } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Changes } from "./Changes";
import { documentOf, versionsOf } from "./versions";

/** The versions of a policy, and what each says that the one in force does not. */
export function Versions({ arn, isOwn }: { arn: string; isOwn: boolean }) {
  const text = strings.policies.versions;
  const [params, setParams] = useSearchParams();
  const found = useQuery({ queryKey: [...policyKey(arn), "versions"], queryFn: () => versionsOf(arn) });
  const stale = [policyKey(arn)];
  const promote = useAction((VersionId: string) => setDefaultPolicyVersion({ PolicyArn: arn, VersionId }), {
    stale,
    said: text.changed,
    isLoud: true,
  });
  const removal = useAction((VersionId: string) => deletePolicyVersion({ PolicyArn: arn, VersionId }), {
    stale,
    said: text.deleted,
    isLoud: true,
  });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const versions = found.data ?? [];
  const current = versions.find(({ isDefault }) => isDefault)?.id;
  const shown = versions.find(({ id }) => id === params.get("version"))?.id;
  return (
    <SpaceBetween size="l">
      <Table
        variant="container"
        items={versions}
        trackBy="id"
        loading={found.isPending}
        loadingText={strings.iam.loading}
        ariaLabels={{ tableLabel: text.title }}
        header={<Header counter={`(${versions.length})`}>{text.title}</Header>}
        columnDefinitions={[
          {
            id: "id",
            header: text.version,
            isRowHeader: true,
            cell: ({ id }) => (
              <Button
                variant="inline-link"
                ariaLabel={text.select(id)}
                onClick={() => setParams({ tab: "versions", version: id })}
              >
                {id}
              </Button>
            ),
          },
          {
            id: "default",
            header: text.isDefault,
            cell: ({ isDefault }) => (isDefault ? text.isDefault : strings.iam.none),
          },
          { id: "created", header: strings.iam.created, cell: ({ created }) => <Time time={created} /> },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: ({ id, isDefault }) =>
              isDefault || !isOwn ? (
                strings.iam.none
              ) : (
                <SpaceBetween direction="horizontal" size="s">
                  <Button variant="inline-link" ariaLabel={text.setDefaultOf(id)} onClick={() => promote.run(id)}>
                    {text.setDefault}
                  </Button>
                  <Button variant="inline-link" ariaLabel={text.deleteOf(id)} onClick={() => removal.run(id)}>
                    {strings.iam.delete}
                  </Button>
                </SpaceBetween>
              ),
          },
        ]}
      />
      {shown === undefined || current === undefined ? null : <Shown arn={arn} shown={shown} current={current} />}
    </SpaceBetween>
  );
}

function Shown({ arn, shown, current }: { arn: string; shown: string; current: string }) {
  const text = strings.policies.versions;
  const of = (id: string) => ({
    queryKey: [...policyKey(arn), "document", id],
    queryFn: () => documentOf(arn, id),
  });
  const document = useQuery(of(shown));
  const reference = useQuery(of(current));
  const error = document.error ?? reference.error;
  if (error !== null) return <Failure error={error} />;
  return (
    <Container header={<Header>{shown === current ? shown : text.compare(current, shown)}</Header>}>
      <SpaceBetween size="m">
        {shown === current ? null : <Changes before={parse(reference.data ?? "")} after={parse(document.data ?? "")} />}
        <PolicyText label={strings.iam.permissions.document} value={pretty(document.data ?? "")} />
      </SpaceBetween>
    </Container>
  );
}
