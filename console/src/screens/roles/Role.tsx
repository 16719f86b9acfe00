import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { planOfRole } from "../../api/iam/dependants";
import { getRole } from "../../api/iam/roles";
import { decodeDocument } from "../../lib/trust/document";
import { Boundary } from "../../parts/iam/Boundary";
import { DetailPage } from "../../parts/iam/DetailPage";
import { pretty } from "../../parts/iam/InlinePolicy";
import { holderKey, listKey } from "../../parts/iam/keys";
import { LastAccessed } from "../../parts/iam/LastAccessed";
import { Permissions } from "../../parts/iam/Permissions";
import { Tags } from "../../parts/iam/Tags";
import { strings } from "../../strings";
import { RoleSummary } from "./RoleSummary";
import { Sessions } from "./Sessions";
import { TrustRelationship } from "./TrustRelationship";

/** One role. */
export default function Role() {
  const text = strings.roles;
  const { name = "" } = useParams();
  const holder = { kind: "role", name } as const;
  const found = useQuery({ queryKey: [...holderKey(holder), "detail"], queryFn: () => getRole({ RoleName: name }) });
  const role = found.data?.Role;
  const boundary = role?.PermissionsBoundary?.PermissionsBoundaryArn;
  const permissions = () => (
    <SpaceBetween size="l">
      <Permissions holder={holder} />
      <Boundary key={boundary ?? ""} holder={holder} arn={boundary} />
    </SpaceBetween>
  );
  const trust = () =>
    role === undefined ? null : (
      <TrustRelationship
        key={name}
        roleName={name}
        document={pretty(decodeDocument(role.AssumeRolePolicyDocument ?? ""))}
      />
    );
  return (
    <DetailPage
      name={name}
      list={{ text: text.title, to: "/roles" }}
      found={found}
      summary={
        <RoleSummary
          key={role === undefined ? "" : `${role.Description ?? ""} ${role.MaxSessionDuration ?? ""}`}
          role={role}
        />
      }
      tabs={[
        { id: "permissions", label: text.tabs.permissions, content: permissions },
        { id: "trust", label: text.tabs.trust, content: trust },
        { id: "tags", label: text.tabs.tags, content: () => <Tags of={holder} /> },
        { id: "lastAccessed", label: text.tabs.lastAccessed, content: () => <LastAccessed arn={role?.Arn} /> },
        { id: "sessions", label: text.tabs.sessions, content: () => <Sessions roleName={name} /> },
      ]}
      plan={() => planOfRole(name, role?.Path ?? "/")}
      stale={[listKey("roles"), ["iam", "policy"]]}
    />
  );
}
