import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { planOfUser } from "../../api/iam/dependants";
import { getUser } from "../../api/iam/users";
import { CleanUp } from "../../parts/cleanup/CleanUp";
import { Failure } from "../../parts/Failure";
import { Boundary } from "../../parts/iam/Boundary";
import { LastAccessed } from "../../parts/iam/LastAccessed";
import { holderKey, listKey } from "../../parts/iam/keys";
import { Permissions } from "../../parts/iam/Permissions";
import { Tags } from "../../parts/iam/Tags";
import { Time } from "../../parts/Values";
import { useTab } from "../../parts/iam/useTab";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { AccessKeys } from "./AccessKeys";
import { LoginProfile } from "./LoginProfile";
import { Memberships } from "./Memberships";
import { MfaDevices } from "./MfaDevices";

const TABS = ["permissions", "groups", "credentials", "tags", "lastAccessed"] as const;

/** One user. */
export default function User() {
  const text = strings.users;
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const [tab, setTab] = useTab(TABS);
  const [isDeleting, setIsDeleting] = useState(false);
  const holder = { kind: "user", name } as const;
  const found = useQuery({ queryKey: [...holderKey(holder), "detail"], queryFn: () => getUser({ UserName: name }) });
  const user = found.data?.User;
  const content = {
    permissions: (
      <SpaceBetween size="l">
        <Permissions holder={holder} />
        <Boundary
          key={user?.PermissionsBoundary?.PermissionsBoundaryArn ?? ""}
          holder={holder}
          arn={user?.PermissionsBoundary?.PermissionsBoundaryArn}
        />
      </SpaceBetween>
    ),
    groups: <Memberships userName={name} />,
    credentials: (
      <SpaceBetween size="l">
        <LoginProfile userName={name} />
        <AccessKeys userName={name} />
        <MfaDevices userName={name} />
      </SpaceBetween>
    ),
    tags: <Tags of={holder} />,
    lastAccessed: <LastAccessed arn={user?.Arn} />,
  };
  return (
    <Page
      title={name}
      crumbs={[{ text: text.title, to: "/users" }]}
      actions={<Button onClick={() => setIsDeleting(true)}>{strings.iam.delete}</Button>}
    >
      {found.error === null ? (
        <Container>
          <KeyValuePairs
            columns={4}
            items={[
              { label: text.arn, value: user?.Arn ?? strings.iam.none },
              { label: text.path, value: user?.Path ?? strings.iam.none },
              { label: text.created, value: <Time time={user?.CreateDate} /> },
              { label: text.passwordLastUsed, value: <Time time={user?.PasswordLastUsed} missing={strings.iam.never} /> },
            ]}
          />
        </Container>
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
          plan={() => planOfUser(name)}
          stale={[listKey("users"), ["iam", "group"]]}
          onClose={() => setIsDeleting(false)}
          onDone={() => void navigate("/users")}
        />
      ) : null}
    </Page>
  );
}
