import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { planOfPolicy } from "../../api/iam/dependants";
import { getPolicy } from "../../api/iam/policies";
import { CleanUp } from "../../parts/cleanup/CleanUp";
import { Failure } from "../../parts/Failure";
import { listKey, policyKey } from "../../parts/iam/keys";
import { Tags } from "../../parts/iam/Tags";
import { Time } from "../../parts/Values";
import { useTab } from "../../parts/iam/useTab";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { Document } from "./Document";
import { Entities } from "./Entities";
import { Versions } from "./Versions";

const TABS = ["document", "versions", "entities", "tags"] as const;

/** One managed policy. */
export default function Policy() {
  const text = strings.policies;
  const { arn = "" } = useParams();
  const navigate = useNavigate();
  const [tab, setTab] = useTab(TABS);
  const [isDeleting, setIsDeleting] = useState(false);
  const found = useQuery({ queryKey: [...policyKey(arn), "detail"], queryFn: () => getPolicy({ PolicyArn: arn }) });
  const policy = found.data?.Policy;
  const isOwn = !/^arn:[^:]*:iam::aws:/.test(arn);
  const name = policy?.PolicyName ?? arn.slice(arn.lastIndexOf("/") + 1);
  const version = policy?.DefaultVersionId;
  const content = {
    document: version === undefined ? null : <Document arn={arn} name={name} version={version} isOwn={isOwn} />,
    versions: <Versions arn={arn} isOwn={isOwn} />,
    entities: <Entities arn={arn} />,
    tags: <Tags of={{ kind: "policy", name: arn }} />,
  };
  // AWS's own policies have no tags of an account.
  const tabs = isOwn ? TABS : TABS.filter((id) => id !== "tags");
  return (
    <Page
      title={name}
      crumbs={[{ text: text.title, to: "/policies" }]}
      actions={isOwn ? <Button onClick={() => setIsDeleting(true)}>{strings.iam.delete}</Button> : undefined}
    >
      {found.error === null ? (
        <Container>
          <KeyValuePairs
            columns={3}
            items={[
              { label: strings.iam.arn, value: arn },
              { label: strings.iam.description, value: policy?.Description ?? strings.iam.none },
              { label: text.defaultVersion, value: version ?? strings.iam.none },
              { label: text.attachments, value: policy?.AttachmentCount ?? strings.iam.none },
              { label: strings.iam.created, value: <Time time={policy?.CreateDate} /> },
            ]}
          />
        </Container>
      ) : (
        <Failure error={found.error} retry={() => void found.refetch()} />
      )}
      <Tabs
        activeTabId={tab}
        onChange={(event) => setTab(event.detail.activeTabId)}
        tabs={tabs.map((id) => ({ id, label: text.tabs[id], content: tab === id ? content[id] : null }))}
      />
      {isDeleting ? (
        <CleanUp
          name={name}
          plan={() => planOfPolicy(arn)}
          stale={[listKey("policies"), ["iam", "user"], ["iam", "group"], ["iam", "role"]]}
          onClose={() => setIsDeleting(false)}
          onDone={() => void navigate("/policies")}
        />
      ) : null}
    </Page>
  );
}
