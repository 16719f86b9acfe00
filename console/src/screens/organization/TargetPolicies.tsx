import type { PolicyType } from "@aws-sdk/client-organizations";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { policiesOfTarget, type OrganizationPolicy } from "../../api/organizations";
import { useConfirm } from "../../parts/iam/Confirm";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { AttachOrganizationPolicy } from "./AttachOrganizationPolicy";
import { CreateOrganizationPolicy } from "./CreateOrganizationPolicy";

const TYPES = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"] as const satisfies PolicyType[];

interface Props {
  target: string;
  name: string;
}

/** The policies on a part of the tree, one table for each type. */
export function TargetPolicies({ target, name }: Props) {
  return (
    <SpaceBetween size="l">
      {TYPES.map((type) => (
        <OfType key={type} type={type} target={target} name={name} />
      ))}
    </SpaceBetween>
  );
}

function OfType({ type, target, name }: Props & { type: (typeof TYPES)[number] }) {
  const text = strings.organization;
  const [dialog, setDialog] = useState<"attach" | "create">();
  const queryKey = ["organization", "policies", target, type];
  const found = useQuery({ queryKey, queryFn: () => policiesOfTarget(target, type) });
  const removal = useConfirm([queryKey]);
  const detach = (policy: OrganizationPolicy) =>
    removal.ask({
      title: text.detach(policy.name),
      submit: text.detachShort,
      changes: [
        { service: "organizations", operation: "DetachPolicy", input: { PolicyId: policy.id, TargetId: target } },
      ],
      said: text.detached,
    });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const policies = found.data ?? [];
  const close = () => setDialog(undefined);
  return (
    <>
      <Table
        variant="container"
        items={policies}
        trackBy="id"
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.noPolicies}</Box>}
        ariaLabels={{ tableLabel: text.types[type] }}
        header={
          <Header
            description={text.policies(name)}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button onClick={() => setDialog("create")}>{text.createPolicy}</Button>
                <Button onClick={() => setDialog("attach")}>{text.attach}</Button>
              </SpaceBetween>
            }
          >
            {text.types[type]}
          </Header>
        }
        columnDefinitions={[
          { id: "name", header: text.policy, isRowHeader: true, cell: (policy) => policy.name },
          { id: "description", header: strings.iam.description, cell: (policy) => policy.description },
          {
            id: "detach",
            header: strings.iam.actions,
            cell: (policy) => (
              <Button variant="inline-link" ariaLabel={text.detach(policy.name)} onClick={() => detach(policy)}>
                {text.detachShort}
              </Button>
            ),
          },
        ]}
      />
      {removal.dialog}
      {dialog === "attach" ? (
        <AttachOrganizationPolicy
          type={type}
          target={target}
          without={policies.map(({ id }) => id)}
          stale={queryKey}
          onClose={close}
        />
      ) : null}
      {dialog === "create" ? <CreateOrganizationPolicy type={type} onClose={close} /> : null}
    </>
  );
}
