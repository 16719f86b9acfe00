import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useSession } from "../../api/current";
import { updateAssumeRolePolicy } from "../../api/iam/roles";
import { recognize, trustPolicy, type TrustedEntity } from "../../lib/trust/entity";
import { fieldProblems } from "../../lib/trust/review";
import { Failure } from "../../parts/Failure";
import { holderKey } from "../../parts/iam/keys";
import { PolicyEdit, PolicyText } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { EntityFields } from "./EntityFields";
import { TrustPreview, TrustWarnings } from "./TrustPreview";

/** The trust policy of a role: what it says, and an editor by form or as JSON. */
export function TrustRelationship({ roleName, document }: { roleName: string; document: string }) {
  const text = strings.roles;
  const { partition } = useSession();
  const [isEditing, setIsEditing] = useState(false);
  const entity = recognize(document, partition);
  if (isEditing) return <Editor roleName={roleName} document={document} onClose={() => setIsEditing(false)} />;
  return (
    <Container
      header={
        <Header
          description={text.kinds[entity.kind]}
          actions={<Button onClick={() => setIsEditing(true)}>{text.trust.edit}</Button>}
        >
          {text.whoCan}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <TrustWarnings document={document} />
        <PolicyText label={text.preview} value={document} />
      </SpaceBetween>
    </Container>
  );
}

function Editor({ roleName, document, onClose }: { roleName: string; document: string; onClose: () => void }) {
  const text = strings.roles;
  const { partition } = useSession();
  const recognized = recognize(document, partition);
  const [entity, setEntity] = useState<TrustedEntity>(recognized);
  const [isForm, setIsForm] = useState(recognized.kind !== "custom");
  const [isSent, setIsSent] = useState(false);
  const save = useAction(
    () => updateAssumeRolePolicy({ RoleName: roleName, PolicyDocument: trustPolicy(entity, partition) }),
    { stale: [holderKey({ kind: "role", name: roleName })], said: () => text.trust.saved, then: onClose },
  );
  const change = (id: string) => {
    const now = trustPolicy(entity, partition);
    setEntity(id === "form" ? recognize(now, partition) : { kind: "custom", document: now });
    setIsForm(id === "form");
  };
  const submit = () => {
    setIsSent(true);
    if (fieldProblems(entity).length === 0) save.run(undefined);
  };
  return (
    <Container header={<Header>{text.trust.edit}</Header>}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!save.isRunning) submit();
        }}
      >
        <SpaceBetween size="l">
          <SegmentedControl
            label={text.trust.as}
            selectedId={isForm ? "form" : "json"}
            options={[
              { id: "form", text: text.trust.form },
              { id: "json", text: text.trust.json },
            ]}
            onChange={(event) => change(event.detail.selectedId)}
          />
          {isForm || entity.kind !== "custom" ? (
            <EntityFields entity={entity} onChange={setEntity} isSent={isSent} />
          ) : (
            <PolicyEdit
          kind="trust"
              label={text.preview}
              value={entity.document}
              onChange={(value) => setEntity({ kind: "custom", document: value })}
              error={isSent && fieldProblems(entity).length > 0 ? strings.iam.permissions.notJson : undefined}
            />
          )}
          <TrustPreview entity={entity} />
          {save.error === undefined ? null : <Failure error={save.error} />}
          <SpaceBetween direction="horizontal" size="xs">
            <Button formAction="none" variant="link" onClick={onClose}>
              {strings.iam.cancel}
            </Button>
            <Button variant="primary" loading={save.isRunning}>
              {strings.iam.save}
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      </form>
    </Container>
  );
}
