import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { planOfGroup } from "../../api/iam/dependants";
import { getGroup } from "../../api/iam/groups";
import { DetailPage } from "../../parts/iam/DetailPage";
import { holderKey, listKey } from "../../parts/iam/keys";
import { LastAccessed } from "../../parts/iam/LastAccessed";
import { Permissions } from "../../parts/iam/Permissions";
import { Arn, Time } from "../../parts/Values";
import { strings } from "../../strings";
import { Members } from "./Members";

/** One group. */
export default function Group() {
  const text = strings.groups;
  const { name = "" } = useParams();
  const holder = { kind: "group", name } as const;
  const found = useQuery({
    queryKey: [...holderKey(holder), "detail"],
    queryFn: () => getGroup({ GroupName: name, MaxItems: 1 }),
  });
  const group = found.data?.Group;
  return (
    <DetailPage
      name={name}
      list={{ text: text.title, to: "/groups" }}
      found={found}
      summary={[
        { label: strings.iam.arn, value: <Arn arn={group?.Arn} /> },
        { label: strings.iam.path, value: group?.Path ?? strings.iam.none },
        { label: strings.iam.created, value: <Time time={group?.CreateDate} /> },
      ]}
      tabs={[
        { id: "users", label: text.tabs.users, content: () => <Members groupName={name} /> },
        { id: "permissions", label: text.tabs.permissions, content: () => <Permissions holder={holder} /> },
        { id: "lastAccessed", label: text.tabs.lastAccessed, content: () => <LastAccessed arn={group?.Arn} /> },
      ]}
      plan={() => planOfGroup(name)}
      stale={[listKey("groups"), ["iam", "user"]]}
    />
  );
}
