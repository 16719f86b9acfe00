import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { iamChange } from "../../api/perform";
import { POLICY_VERSIONS_MAX } from "../../lib/names";
import { isJsonObject } from "../../lib/permissions-choice";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { Failure } from "../../parts/Failure";
import { Dialog } from "../../parts/Dialog";
import { pretty } from "../../parts/iam/InlinePolicy";
import { policyKey } from "../../parts/iam/keys";
import { PolicyChanges } from "../../parts/PolicyChanges";
import { PolicyEdit, PolicyText } from "../../parts/PolicyText";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
import { strings } from "../../strings";
import { documentOf, versionsOf } from "./versions";

interface Props {
  arn: string;
  name: string;
  version: string;
  isOwn: boolean;
}

/** The document in force, and an editor that makes a new version. */
export function Document({ arn, name, version, isOwn }: Props) {
  const text = strings.policies;
  const [isOpen, setIsOpen] = useState(false);
  const found = useQuery({
    queryKey: [...policyKey(arn), "document", version],
    queryFn: () => documentOf(arn, version),
  });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const document = pretty(found.data ?? "");
  return (
    <Container
      header={
        <Header
          actions={
            isOwn ? (
              <Button disabled={found.data === undefined} onClick={() => setIsOpen(true)}>
                {text.edit}
              </Button>
            ) : undefined
          }
        >
          {text.tabs.document}
        </Header>
      }
    >
      <PolicyText label={strings.iam.permissions.document} value={document} />
      {isOpen ? <Editor arn={arn} name={name} document={document} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

interface EditorProps {
  arn: string;
  name: string;
  document: string;
  onClose: () => void;
}

function Editor({ arn, name, document: opened, onClose }: EditorProps) {
  const text = strings.policies;
  // The page may read a newer document meanwhile; the edit began with this one.
  const [document, setDocument] = useState(opened);
  const [value, setValue] = useState(document);
  const versions = useQuery({ queryKey: [...policyKey(arn), "versions"], queryFn: () => versionsOf(arn) });
  const isFull = (versions.data?.length ?? 0) >= POLICY_VERSIONS_MAX;
  const save = useReplaceDocument({
    base: document,
    stale: [policyKey(arn)],
    said: () => text.saved(name),
    then: onClose,
  });
  return (
    <Dialog
      title={text.editTitle}
      submit={strings.iam.save}
      onSubmit={() => save.save({ kind: "managed", arn }, value)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={isFull || !isJsonObject(value) || value === document}
      error={save.error}
      changes={[iamChange("CreatePolicyVersion", { PolicyArn: arn, PolicyDocument: value, SetAsDefault: true })]}
      size="max"
    >
      {isFull ? <div>{text.full}</div> : null}
      <PolicyEdit
        label={strings.iam.permissions.document}
        value={value}
        onChange={setValue}
        error={isJsonObject(value) ? undefined : strings.iam.permissions.notJson}
      />
      <DocumentChanged
        conflict={save.conflict}
        onTake={(current) => {
          setDocument(pretty(current));
          setValue(pretty(current));
        }}
      />
      <PolicyChanges before={document} after={value} />
    </Dialog>
  );
}
