import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { collect, from, markerOf } from "../../api/iam/collect";
import { listEntitiesForPolicy } from "../../api/iam/policies";
import { Failure } from "../../parts/Failure";
import { policyKey } from "../../parts/iam/keys";
import { LinkTo } from "../../parts/LinkTo";
import { strings } from "../../strings";

interface Entity {
  kind: "user" | "group" | "role";
  name: string;
  use: "permissions" | "boundary";
}

async function entitiesOf(PolicyArn: string): Promise<Entity[]> {
  const [permissions, boundary] = await Promise.all([
    ofUse(PolicyArn, "permissions"),
    ofUse(PolicyArn, "boundary"),
  ]);
  return [...permissions, ...boundary];
}

async function ofUse(PolicyArn: string, use: Entity["use"]): Promise<Entity[]> {
  const PolicyUsageFilter = use === "boundary" ? "PermissionsBoundary" : "PermissionsPolicy";
  const found = await collect(async (marker) => {
    const answer = await listEntitiesForPolicy({ PolicyArn, PolicyUsageFilter, ...from(marker) });
    const items: Entity[] = [
      ...(answer.PolicyUsers ?? []).map(({ UserName = "" }) => ({ kind: "user" as const, name: UserName, use })),
      ...(answer.PolicyGroups ?? []).map(({ GroupName = "" }) => ({ kind: "group" as const, name: GroupName, use })),
      ...(answer.PolicyRoles ?? []).map(({ RoleName = "" }) => ({ kind: "role" as const, name: RoleName, use })),
    ];
    return { items, marker: markerOf(answer) };
  });
  return found.items;
}

/** Who has the policy, and as what. */
export function Entities({ arn }: { arn: string }) {
  const text = strings.policies.entities;
  const found = useQuery({ queryKey: [...policyKey(arn), "entities"], queryFn: () => entitiesOf(arn) });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const items = found.data ?? [];
  return (
    <Table
      variant="container"
      items={items}
      trackBy={({ kind, name, use }) => `${kind} ${name} ${use}`}
      loading={found.isPending}
      loadingText={strings.iam.loading}
      empty={<Box textAlign="center">{text.none}</Box>}
      ariaLabels={{ tableLabel: text.title }}
      header={<Header counter={`(${items.length})`}>{text.title}</Header>}
      columnDefinitions={[
        {
          id: "name",
          header: text.name,
          isRowHeader: true,
          cell: ({ kind, name }) => <LinkTo to={`/${kind}s/${encodeURIComponent(name)}`}>{name}</LinkTo>,
        },
        { id: "kind", header: text.kind, cell: ({ kind }) => text[kind] },
        { id: "use", header: text.use, cell: ({ use }) => text[use] },
      ]}
    />
  );
}
