import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Loading } from "../../app/Loading";
import { putPolicy } from "../../lib/keys";
import { isJsonObject } from "../../lib/permissions-choice";
import { Dialog } from "../../parts/Dialog";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { Failure } from "../../parts/Failure";
import { pretty } from "../../parts/iam/InlinePolicy";
import { PolicyChanges } from "../../parts/PolicyChanges";
import { PolicyEdit, PolicyText } from "../../parts/PolicyText";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
import { strings } from "../../strings";
import { KEYS, policyQuery } from "./queries";

const text = strings.keys.policy;

/** Who may use and manage the key, beside what IAM says. */
export function KeyPolicy({ id, arn, mayChange }: { id: string; arn: string; mayChange: boolean }) {
  const query = useQuery(policyQuery(id));
  const [isOpen, setIsOpen] = useState(false);
  const document = query.data === undefined ? undefined : pretty(query.data);
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={text.hint}
          actions={
            mayChange && document !== undefined ? <Button onClick={() => setIsOpen(true)}>{text.edit}</Button> : null
          }
        >
          {text.title}
        </Header>
      }
    >
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending ? <Loading /> : null}
      {document === undefined ? null : <PolicyText label={text.document} value={document} />}
      {isOpen && document !== undefined ? (
        <Editor id={id} arn={arn} document={document} onClose={() => setIsOpen(false)} />
      ) : null}
    </Container>
  );
}

interface EditorProps {
  id: string;
  arn: string;
  document: string;
  onClose: () => void;
}

function Editor({ id, arn, document: opened, onClose }: EditorProps) {
  // The page may read a newer document meanwhile; the edit began with this one.
  const [document, setDocument] = useState(opened);
  const [value, setValue] = useState(opened);
  const save = useReplaceDocument({ base: document, stale: [KEYS], said: () => text.saved, then: onClose });
  return (
    <Dialog
      title={text.edit}
      submit={strings.frame.save}
      onSubmit={() => save.save({ kind: "key", id }, value)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={!isJsonObject(value) || value === document}
      error={save.error}
      changes={[putPolicy(id, value)]}
      size="max"
    >
      <PolicyEdit
        label={text.document}
        kind="resource"
        resource={arn}
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
