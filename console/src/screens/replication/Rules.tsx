import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSession } from "../../api/current";
import { Loading } from "../../app/Loading";
import { isConfiguration, newRule, readRules, replicationChange, ruleProblem, rulesProblem, writeRules } from "../../lib/replication";
import { AsCommand } from "../../parts/AsCommand";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { useEdited } from "../../parts/useEdited";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
import { strings } from "../../strings";
import { Rule } from "./Rule";
import { RULES, rulesQuery } from "./queries";

const text = strings.replication;

export function Rules() {
  const query = useQuery(rulesQuery());
  if (query.isPending) return <Loading />;
  if (query.error !== null) {
    return (
      <Container header={<Header variant="h2">{text.rules}</Header>}>
        <Failure error={query.error} retry={() => void query.refetch()} />
      </Container>
    );
  }
  return <Edited saved={query.data} />;
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

/** The rules in a form or as JSON: one document. */
function Editor({ saved, document, setDocument }: Props) {
  const { account } = useSession();
  const [view, setView] = useState("form");
  const [wasTried, setWasTried] = useState(false);
  const { ask, dialog } = useConfirm([RULES]);
  const save = useReplaceDocument({ base: saved, stale: [RULES], said: () => text.saved, then: () => undefined });
  const rules = readRules(document);
  const wrong = rules === undefined ? undefined : rulesProblem(rules);
  const isRight =
    isConfiguration(document) &&
    wrong === undefined &&
    (rules ?? []).every((rule) => ruleProblem(rule) === undefined);
  const change = replicationChange(document);
  const end = () =>
    ask({ title: text.end, text: text.endText, changes: [replicationChange("")], said: text.ended });
  const submit = () => {
    setWasTried(true);
    if (isRight) save.save({ kind: "replication" }, document);
  };
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={saved === "" ? text.none : text.otherAccount}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <AsCommand changes={[change]} />
              <SegmentedControl
                label={text.views.label}
                selectedId={view}
                onChange={({ detail }) => setView(detail.selectedId)}
                options={[
                  { id: "form", text: text.views.form },
                  { id: "json", text: text.views.json },
                ]}
              />
            </SpaceBetween>
          }
        >
          {text.rules}
        </Header>
      }
      footer={
        <SpaceBetween size="xs" direction="horizontal">
          <Button variant="primary" disabled={document.trim() === ""} loading={save.isRunning} onClick={submit}>
            {text.save}
          </Button>
          {saved === "" ? null : <Button onClick={end}>{text.end}</Button>}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="m">
        {view === "json" ? (
          <FormField label={text.json} errorText={isConfiguration(document) ? undefined : text.notJson} stretch>
            <Textarea value={document} rows={18} spellcheck={false} onChange={({ detail }) => setDocument(detail.value)} />
          </FormField>
        ) : rules === undefined ? (
          <Alert type="info">{text.notInForm}</Alert>
        ) : (
          <SpaceBetween size="l">
            {rules.map((rule, at) => (
              // A rule has no name of its own: its place is what it is.
              <Rule
                key={at}
                number={at + 1}
                rule={rule}
                problem={wasTried ? ruleProblem(rule) : undefined}
                onChange={(changed) => setDocument(writeRules(rules.map((one, place) => (place === at ? changed : one))))}
                onRemove={() => setDocument(writeRules(rules.filter((_, place) => place !== at)))}
              />
            ))}
            <Box>
              <Button iconName="add-plus" onClick={() => setDocument(writeRules([...rules, newRule(account)]))}>
                {text.add}
              </Button>
            </Box>
          </SpaceBetween>
        )}
        {wrong === undefined ? null : <Alert type="error">{text.problems[wrong]}</Alert>}
        {save.error === undefined ? null : <Failure error={save.error} />}
        <DocumentChanged conflict={save.conflict} onTake={setDocument} />
      </SpaceBetween>
      {dialog}
    </Container>
  );
}
