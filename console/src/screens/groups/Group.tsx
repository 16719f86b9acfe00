import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { planOfGroup } from "../../api/iam/dependants";
import { getGroup } from "../../api/iam/groups";
import { CleanUp } from "../../parts/cleanup/CleanUp";
import { Failure } from "../../parts/Failure";
import { holderKey, listKey } from "../../parts/iam/keys";
import { LastAccessed } from "../../parts/iam/LastAccessed";
import { Permissions } from "../../parts/iam/Permissions";
import { Time } from "../../parts/Values";
import { useTab } from "../../parts/iam/useTab";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { Members } from "./Members";

const TABS = ["users", "permissions", "lastAccessed"] as const;

/** One group. */
export default function Group() {
  const text = strings.groups;
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const [tab, setTab] = useTab(TABS);
  const [isDeleting, setIsDeleting] = useState(false);
  const holder = { kind: "group", name } as const;
  const found = useQuery({
    queryKey: [...holderKey(holder), "detail"],
    queryFn: () => getGroup({ GroupName: name, MaxItems: 1 }),
  });
  const group = found.data?.Group;
  const content = {
    users: <Members groupName={name} />,
    permissions: <Permissions holder={holder} />,
    lastAccessed: <LastAccessed arn={group?.Arn} />,
  };
  return (
    <Page
      title={name}
      crumbs={[{ text: text.title, to: "/groups" }]}
      actions={<Button onClick={() => setIsDeleting(true)}>{strings.iam.delete}</Button>}
    >
      {found.error === null ? (
        <Container>
          <KeyValuePairs
            columns={3}
            items={[
              { label: strings.iam.arn, value: group?.Arn ?? strings.iam.none },
              { label: strings.iam.path, value: group?.Path ?? strings.iam.none },
              { label: strings.iam.created, value: <Time time={group?.CreateDate} /> },
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
          plan={() => planOfGroup(name)}
          stale={[listKey("groups"), ["iam", "user"]]}
          onClose={() => setIsDeleting(false)}
          onDone={() => void navigate("/groups")}
        />
      ) : null}
    </Page>
  );
}
