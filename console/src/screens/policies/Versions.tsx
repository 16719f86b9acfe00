import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { iamChange } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { pretty } from "../../parts/iam/InlinePolicy";
import { policyKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { PolicyChanges } from "../../parts/PolicyChanges";
import { PolicyText } from "../../parts/PolicyText";
import { strings } from "../../strings";
import { documentOf, versionsOf } from "./versions";

/** The versions of a policy, and what each says that the one in force does not. */
export function Versions({ arn, isOwn }: { arn: string; isOwn: boolean }) {
  const text = strings.policies.versions;
  const [params, setParams] = useSearchParams();
  const found = useQuery({ queryKey: [...policyKey(arn), "versions"], queryFn: () => versionsOf(arn) });
  const { ask, dialog } = useConfirm([policyKey(arn)]);
  const promote = (VersionId: string) =>
    ask({
      title: text.setDefaultOf(VersionId),
      submit: text.setDefault,
      changes: [iamChange("SetDefaultPolicyVersion", { PolicyArn: arn, VersionId })],
      said: text.changed(VersionId),
    });
  const remove = (VersionId: string) =>
    ask({
      title: text.deleteOf(VersionId),
      text: text.deleteHint,
      submit: strings.iam.delete,
      changes: [iamChange("DeletePolicyVersion", { PolicyArn: arn, VersionId })],
      said: text.deleted(VersionId),
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
                  <Button variant="inline-link" ariaLabel={text.setDefaultOf(id)} onClick={() => promote(id)}>
                    {text.setDefault}
                  </Button>
                  <Button variant="inline-link" ariaLabel={text.deleteOf(id)} onClick={() => remove(id)}>
                    {strings.iam.delete}
                  </Button>
                </SpaceBetween>
              ),
          },
        ]}
      />
      {dialog}
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
        {shown === current ? null : <PolicyChanges before={pretty(reference.data ?? "")} after={pretty(document.data ?? "")} />}
        <PolicyText label={strings.iam.permissions.document} value={pretty(document.data ?? "")} />
      </SpaceBetween>
    </Container>
  );
}
