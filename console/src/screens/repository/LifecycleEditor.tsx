import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import {
  deleteLifecyclePolicy,
  putLifecyclePolicy,
  startLifecyclePreview,
  type LifecyclePolicy,
} from "../../api/lifecycle";
import { newRule, readRules, writeRules } from "../../lib/lifecycle";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { Time } from "../../parts/Values";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { LifecycleRule } from "./LifecycleRule";
import { lifecycleKey, lifecyclePreviewKey } from "./queries";

const text = strings.lifecycle;

interface Props {
  name: string;
  saved: LifecyclePolicy | null;
}

/** The policy as rules in a form or as JSON: one document. */
export function LifecycleEditor({ name, saved }: Props) {
  const [document, setDocument] = useState(saved?.text ?? "");
  const [view, setView] = useState("form");
  const input = { repositoryName: name, lifecyclePolicyText: document };
  const put = useAction(() => putLifecyclePolicy(name, document), {
    stale: [lifecycleKey(name)],
    said: () => text.saved,
  });
  const remove = useAction(() => deleteLifecyclePolicy(name), {
    stale: [lifecycleKey(name)],
    said: () => text.deleted,
  });
  const preview = useAction(() => startLifecyclePreview(name, document), { stale: [lifecyclePreviewKey(name)] });
  const isEmpty = document.trim() === "";
  const error = put.error ?? remove.error ?? preview.error;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={<Evaluated saved={saved} />}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <AsCommand changes={[{ service: "ecr", operation: "PutLifecyclePolicy", input }]} />
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
          {text.title}
        </Header>
      }
      footer={
        <SpaceBetween size="xs" direction="horizontal">
          <Button variant="primary" disabled={isEmpty} loading={put.isRunning} onClick={() => put.run(undefined)}>
            {text.save}
          </Button>
          <Button disabled={isEmpty} loading={preview.isRunning} onClick={() => preview.run(undefined)}>
            {text.preview.start}
          </Button>
          {saved === null ? null : (
            <Button loading={remove.isRunning} onClick={() => remove.run(undefined)}>
              {text.delete}
            </Button>
          )}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="m">
        {view === "json" ? (
          <FormField label={text.json} stretch>
            <Textarea value={document} rows={18} spellcheck={false} onChange={({ detail }) => setDocument(detail.value)} />
          </FormField>
        ) : (
          <RulesForm document={document} onChange={setDocument} />
        )}
        {error === undefined ? null : <Failure error={error} />}
      </SpaceBetween>
    </Container>
  );
}

function Evaluated({ saved }: { saved: LifecyclePolicy | null }) {
  if (saved === null) return <>{text.none}</>;
  if (saved.evaluatedAt === undefined) return <>{text.notEvaluated}</>;
  return (
    <>
      {text.evaluated} <Time time={saved.evaluatedAt} />
    </>
  );
}

function RulesForm({ document, onChange }: { document: string; onChange: (text: string) => void }) {
  const rules = readRules(document);
  if (rules === undefined) return <Alert type="info">{text.notInForm}</Alert>;
  return (
    <SpaceBetween size="l">
      {rules.map((rule, at) => (
        // A rule has no name of its own: its place is what it is.
        <LifecycleRule
          key={at}
          rule={rule}
          onChange={(changed) => onChange(writeRules(rules.map((one, place) => (place === at ? changed : one))))}
          onRemove={() => onChange(writeRules(rules.filter((_, place) => place !== at)))}
        />
      ))}
      <Box>
        <Button iconName="add-plus" onClick={() => onChange(writeRules([...rules, newRule(rules)]))}>
          {text.add}
        </Button>
      </Box>
    </SpaceBetween>
  );
}
