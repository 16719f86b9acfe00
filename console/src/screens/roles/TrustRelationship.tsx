import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useSession } from "../../api/current";
import { iamChange } from "../../api/perform";
import { recognize, trustPolicy, type TrustedEntity } from "../../lib/trust/entity";
import { fieldProblems } from "../../lib/trust/review";
import { AsCommand } from "../../parts/AsCommand";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { Failure } from "../../parts/Failure";
import { pretty } from "../../parts/iam/InlinePolicy";
import { holderKey } from "../../parts/iam/keys";
import { PolicyEdit, PolicyText } from "../../parts/PolicyText";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
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
  // Fields keep what was typed: they are made anew for another document.
  const [round, setRound] = useState(0);
  const save = useReplaceDocument({
    base: document,
    stale: [holderKey({ kind: "role", name: roleName })],
    said: () => text.trust.saved,
    then: onClose,
  });
  const take = (current: string) => {
    setRound(round + 1);
    const found = recognize(pretty(current), partition);
    setEntity(found);
    setIsForm(found.kind !== "custom");
  };
  const change = (id: string) => {
    const now = trustPolicy(entity, partition);
    setEntity(id === "form" ? recognize(now, partition) : { kind: "custom", document: now });
    setIsForm(id === "form");
  };
  const submit = () => {
    setIsSent(true);
    if (fieldProblems(entity).length === 0) save.save({ kind: "trust", roleName }, trustPolicy(entity, partition));
  };
  return (
    <Container
      header={
        <Header
          actions={
            <AsCommand
              changes={[
                iamChange("UpdateAssumeRolePolicy", {
                  RoleName: roleName,
                  PolicyDocument: trustPolicy(entity, partition),
                }),
              ]}
            />
          }
        >
          {text.trust.edit}
        </Header>
      }
    >
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
            <EntityFields key={round} entity={entity} onChange={setEntity} isSent={isSent} />
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
          <DocumentChanged conflict={save.conflict} onTake={take} />
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
