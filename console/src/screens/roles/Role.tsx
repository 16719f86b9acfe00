import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { planOfRole } from "../../api/iam/dependants";
import { getRole } from "../../api/iam/roles";
import { decodeDocument } from "../../lib/trust/document";
import { CleanUp } from "../../parts/cleanup/CleanUp";
import { Failure } from "../../parts/Failure";
import { Boundary } from "../../parts/iam/Boundary";
import { pretty } from "../../parts/iam/InlinePolicy";
import { holderKey, listKey } from "../../parts/iam/keys";
import { LastAccessed } from "../../parts/iam/LastAccessed";
import { Permissions } from "../../parts/iam/Permissions";
import { Tags } from "../../parts/iam/Tags";
import { useTab } from "../../parts/iam/useTab";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { RoleSummary } from "./RoleSummary";
import { Sessions } from "./Sessions";
import { TrustRelationship } from "./TrustRelationship";

const TABS = ["permissions", "trust", "tags", "lastAccessed", "sessions"] as const;

/** One role. */
export default function Role() {
  const text = strings.roles;
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const [tab, setTab] = useTab(TABS);
  const [isDeleting, setIsDeleting] = useState(false);
  const holder = { kind: "role", name } as const;
  const found = useQuery({ queryKey: [...holderKey(holder), "detail"], queryFn: () => getRole({ RoleName: name }) });
  const role = found.data?.Role;
  const trust = role === undefined ? undefined : pretty(decodeDocument(role.AssumeRolePolicyDocument ?? ""));
  const boundary = role?.PermissionsBoundary?.PermissionsBoundaryArn;
  const content = {
    permissions: (
      <SpaceBetween size="l">
        <Permissions holder={holder} />
        <Boundary key={boundary ?? ""} holder={holder} arn={boundary} />
      </SpaceBetween>
    ),
    trust: trust === undefined ? null : <TrustRelationship key={trust} roleName={name} document={trust} />,
    tags: <Tags of={holder} />,
    lastAccessed: <LastAccessed arn={role?.Arn} />,
    sessions: <Sessions roleName={name} />,
  };
  return (
    <Page
      title={name}
      crumbs={[{ text: text.title, to: "/roles" }]}
      actions={<Button onClick={() => setIsDeleting(true)}>{strings.iam.delete}</Button>}
    >
      {found.error === null ? (
        <RoleSummary key={role === undefined ? "" : `${role.Description ?? ""} ${role.MaxSessionDuration ?? ""}`} role={role} />
      ) : (
        <Failure error={found.error} retry={() => void found.refetch()} />
      )}
      <Tabs
        activeTabId={tab}
        onChange={(event) => setTab(event.detail.activeTabId)}
        tabs={TABS.map((id) => ({ id, label: text.tabs[id], content: tab === id ? content[id] : null }))}
      />
      {isDeleting ? (
        <CleanUp
          name={name}
          plan={() => planOfRole(name, role?.Path ?? "/")}
          stale={[listKey("roles"), ["iam", "policy"]]}
          onClose={() => setIsDeleting(false)}
          onDone={() => void navigate("/roles")}
        />
      ) : null}
    </Page>
  );
}
