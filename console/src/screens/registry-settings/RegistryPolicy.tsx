import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getRegistryPolicy } from "../../api/registry";
import { Loading } from "../../app/Loading";
import { AsCommand } from "../../parts/AsCommand";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { PolicyChanges } from "../../parts/PolicyChanges";
import { useEdited } from "../../parts/useEdited";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
import { strings } from "../../strings";
import { REGISTRY_POLICY } from "./keys";

const text = strings.registrySettings.policy;

export function RegistryPolicy() {
  const query = useQuery({ queryKey: REGISTRY_POLICY, queryFn: getRegistryPolicy });
  if (query.isPending) return <Loading />;
  if (query.error !== null) {
    return (
      <Container header={<Header variant="h2">{text.title}</Header>}>
        <Failure error={query.error} retry={() => void query.refetch()} />
      </Container>
    );
  }
  return <Edited saved={laidOut(query.data)} />;
}

/** The editor of what is saved, which keeps its edit when somebody else saves. */
function Edited({ saved }: { saved: string }) {
  const { base, document, setDocument } = useEdited(saved);
  return <Editor key={base} saved={base} document={document} setDocument={setDocument} />;
}

interface Props {
  saved: string;
  document: string;
  setDocument: (document: string) => void;
}

/** What a registry without a policy says. */
const NO_STATEMENTS = '{"Statement": []}';

const laidOut = (document: string): string =>
  document === "" ? "" : JSON.stringify(JSON.parse(document) as unknown, undefined, 2);

const isJson = (document: string): boolean => {
  try {
    JSON.parse(document);
    return true;
  } catch {
    return false;
  }
};

function Editor({ saved, document, setDocument }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const { ask, dialog } = useConfirm([REGISTRY_POLICY]);
  const save = useReplaceDocument({
    base: saved,
    stale: [REGISTRY_POLICY],
    said: () => text.saved,
    then: () => setIsOpen(false),
  });
  const isWrong = document.trim() !== "" && !isJson(document);
  const remove = () =>
    ask({
      title: text.delete,
      text: text.deleteText,
      changes: [{ service: "ecr", operation: "DeleteRegistryPolicy", input: {} }],
      said: text.deleted,
    });
  const change = { service: "ecr", operation: "PutRegistryPolicy", input: { policyText: document } };
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={saved === "" ? text.none : text.hint}
          actions={<AsCommand changes={[change]} />}
        >
          {text.title}
        </Header>
      }
      footer={
        <SpaceBetween size="xs" direction="horizontal">
          <Button disabled={isWrong || document.trim() === ""} onClick={() => setIsOpen(true)}>
            {text.review}
          </Button>
          {saved === "" ? null : <Button onClick={remove}>{text.delete}</Button>}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="m">
        <FormField label={text.json} errorText={isWrong ? text.notJson : undefined} stretch>
          <Textarea value={document} rows={10} spellcheck={false} onChange={({ detail }) => setDocument(detail.value)} />
        </FormField>
      </SpaceBetween>
      {dialog}
      {isOpen ? (
        <Dialog
          size="large"
          title={text.reviewTitle}
          submit={text.save}
          onSubmit={() => save.save({ kind: "registry" }, document)}
          onClose={() => setIsOpen(false)}
          isRunning={save.isRunning}
          error={save.error}
          changes={[change]}
        >
          <Box>{text.reviewIntro}</Box>
          <PolicyChanges before={saved === "" ? NO_STATEMENTS : saved} after={laidOut(document)} />
          <DocumentChanged
            conflict={save.conflict}
            onTake={(current) => {
              setDocument(laidOut(current));
              setIsOpen(false);
            }}
          />
        </Dialog>
      ) : null}
    </Container>
  );
}
