import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { planOfUser } from "../../api/iam/dependants";
import { getUser } from "../../api/iam/users";
import { Boundary } from "../../parts/iam/Boundary";
import { DetailPage } from "../../parts/iam/DetailPage";
import { LastAccessed } from "../../parts/iam/LastAccessed";
import { holderKey, listKey } from "../../parts/iam/keys";
import { Permissions } from "../../parts/iam/Permissions";
import { Tags } from "../../parts/iam/Tags";
import { Arn, Time } from "../../parts/Values";
import { strings } from "../../strings";
import { AccessKeys } from "./AccessKeys";
import { LoginProfile } from "./LoginProfile";
import { Memberships } from "./Memberships";
import { MfaDevices } from "./MfaDevices";

/** One user. */
export default function User() {
  const text = strings.users;
  const { name = "" } = useParams();
  const holder = { kind: "user", name } as const;
  const found = useQuery({ queryKey: [...holderKey(holder), "detail"], queryFn: () => getUser({ UserName: name }) });
  const user = found.data?.User;
  const boundary = user?.PermissionsBoundary?.PermissionsBoundaryArn;
  const permissions = () => (
    <SpaceBetween size="l">
      <Permissions holder={holder} />
      <Boundary key={boundary ?? ""} holder={holder} arn={boundary} />
    </SpaceBetween>
  );
  const credentials = () => (
    <SpaceBetween size="l">
      <LoginProfile userName={name} />
      <AccessKeys userName={name} />
      <MfaDevices userName={name} />
    </SpaceBetween>
  );
  return (
    <DetailPage
      name={name}
      list={{ text: text.title, to: "/users" }}
      found={found}
      columns={4}
      summary={[
        { label: text.arn, value: <Arn arn={user?.Arn} /> },
        { label: text.path, value: user?.Path ?? strings.iam.none },
        { label: text.created, value: <Time time={user?.CreateDate} /> },
        { label: text.passwordLastUsed, value: <Time time={user?.PasswordLastUsed} missing={strings.iam.never} /> },
      ]}
      tabs={[
        { id: "permissions", label: text.tabs.permissions, content: permissions },
        { id: "groups", label: text.tabs.groups, content: () => <Memberships userName={name} /> },
        { id: "credentials", label: text.tabs.credentials, content: credentials },
        { id: "tags", label: text.tabs.tags, content: () => <Tags of={holder} /> },
        { id: "lastAccessed", label: text.tabs.lastAccessed, content: () => <LastAccessed arn={user?.Arn} /> },
      ]}
      plan={() => planOfUser(name)}
      stale={[listKey("users"), ["iam", "group"]]}
    />
  );
}
