import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { planOfPolicy } from "../../api/iam/dependants";
import { getPolicy } from "../../api/iam/policies";
import { DetailPage } from "../../parts/iam/DetailPage";
import { listKey, policyKey } from "../../parts/iam/keys";
import { Tags } from "../../parts/iam/Tags";
import { Arn, Time } from "../../parts/Values";
import { strings } from "../../strings";
import { Document } from "./Document";
import { Entities } from "./Entities";
import { Versions } from "./Versions";

/** One managed policy. */
export default function Policy() {
  const text = strings.policies;
  const { arn = "" } = useParams();
  const found = useQuery({ queryKey: [...policyKey(arn), "detail"], queryFn: () => getPolicy({ PolicyArn: arn }) });
  const policy = found.data?.Policy;
  const isOwn = !/^arn:[^:]*:iam::aws:/.test(arn);
  const name = policy?.PolicyName ?? arn.slice(arn.lastIndexOf("/") + 1);
  const version = policy?.DefaultVersionId;
  const document = () =>
    version === undefined ? null : <Document arn={arn} name={name} version={version} isOwn={isOwn} />;
  return (
    <DetailPage
      name={name}
      list={{ text: text.title, to: "/policies" }}
      found={found}
      summary={[
        { label: strings.iam.arn, value: <Arn arn={arn} /> },
        { label: strings.iam.description, value: policy?.Description ?? strings.iam.none },
        { label: text.defaultVersion, value: version ?? strings.iam.none },
        { label: text.attachments, value: policy?.AttachmentCount ?? strings.iam.none },
        { label: strings.iam.created, value: <Time time={policy?.CreateDate} /> },
      ]}
      tabs={[
        { id: "document", label: text.tabs.document, content: document },
        { id: "versions", label: text.tabs.versions, content: () => <Versions arn={arn} isOwn={isOwn} /> },
        { id: "entities", label: text.tabs.entities, content: () => <Entities arn={arn} /> },
        // AWS's own policies have no tags of an account.
        ...(isOwn
          ? [{ id: "tags", label: text.tabs.tags, content: () => <Tags of={{ kind: "policy", name: arn }} /> }]
          : []),
      ]}
      plan={isOwn ? () => planOfPolicy(arn) : undefined}
      stale={[listKey("policies"), ["iam", "user"], ["iam", "group"], ["iam", "role"]]}
    />
  );
}
