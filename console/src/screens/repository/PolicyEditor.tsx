import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { Suspense, lazy, useRef, useState } from "react";
import { useSession } from "../../api/current";
import { label } from "../../lib/commands/terraform";
import { readPolicy, writePolicy, type FormStatement } from "../../lib/repository-policy";
import { Loading } from "../../app/Loading";
import { AsCommand } from "../../parts/AsCommand";
import { Findings } from "../../parts/policy-editor/Findings";
import type { EditorHandle } from "../../parts/policy-editor/JsonEditor";
import { useFindings } from "../../parts/policy-editor/useFindings";
import { strings } from "../../strings";
import { SavePolicy } from "./SavePolicy";
import { StatementForm } from "./StatementForm";

const JsonEditor = lazy(() => import("../../parts/policy-editor/JsonEditor"));
const NO_ARNS: readonly string[] = [];

interface Props {
  name: string;
  /** The policy on the server; empty where there is none. */
  saved: string;
}

const NEW: FormStatement = {
  sid: "",
  effect: "Allow",
  everyone: false,
  services: [],
  accounts: [],
  entities: [],
  actions: [],
  rest: {},
};

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

/** The statements as a form beside the JSON: one document, which is the JSON's text. */
export function PolicyEditor({ name, saved }: Props) {
  const text = strings.repository.permissions;
  const { partition } = useSession();
  const [json, setJson] = useState(() => pretty(saved));
  const [isSaving, setIsSaving] = useState(false);
  const editor = useRef<EditorHandle>(null);
  const found = useFindings(json, "resource");
  const read = readPolicy(json);
  const statements = Array.isArray(read) ? read : undefined;
  const write = (next: FormStatement[]) => setJson(writePolicy(json, next, partition));
  const isChanged = json !== pretty(saved);
  return (
    <SpaceBetween size="m">
      <Box variant="p">{text.intro}</Box>
      {json.trim() === "" ? <Alert type="info">{text.none}</Alert> : null}
      <Grid gridDefinition={[{ colspan: { default: 12, s: 6 } }, { colspan: { default: 12, s: 6 } }]}>
        <SpaceBetween size="m">
          <Header
            variant="h2"
            actions={
              <Button
                disabled={statements === undefined}
                onClick={() => write([...(statements ?? []), NEW])}
                iconName="add-plus"
              >
                {text.add}
              </Button>
            }
          >
            {text.form}
          </Header>
          {statements?.map((statement, index) => (
            <StatementForm
              key={index}
              statement={statement}
              index={index}
              onChange={(changed) => write(statements.map((old, at) => (at === index ? changed : old)))}
              onRemove={() => {
                const rest = statements.filter((_, at) => at !== index);
                if (rest.length === 0) setJson("");
                else write(rest);
              }}
            />
          ))}
        </SpaceBetween>
        <FormField
          label={text.jsonLabel}
          stretch
          {...(Array.isArray(read) ? {} : { errorText: text.jsonError(read.error) })}
        >
          <Suspense fallback={<Loading />}>
            <JsonEditor
              handle={editor}
              value={json}
              onChange={setJson}
              findings={found.findings}
              existingArns={NO_ARNS}
              readOnly={false}
            />
          </Suspense>
        </FormField>
      </Grid>
      {json.trim() === "" ? null : (
        <Findings
          {...found}
          text={json}
          onFix={setJson}
          onGoTo={(from, to) => editor.current?.select(from, to)}
        />
      )}
      <SpaceBetween size="xs" direction="horizontal">
        <Button
          variant="primary"
          disabled={!isChanged || statements === undefined}
          onClick={() => setIsSaving(true)}
        >
          {text.review}
        </Button>
        <Button disabled={!isChanged} onClick={() => setJson(pretty(saved))}>
          {text.discard}
        </Button>
        <AsCommand
          changes={[
            {
              service: "ecr",
              operation: json.trim() === "" ? "DeleteRepositoryPolicy" : "SetRepositoryPolicy",
              input: { repositoryName: name, policyText: json.trim() },
            },
          ]}
          resources={[
            {
              head: ["resource", "aws_ecr_repository_policy", label(name)],
              attributes: { repository: name, policy: json },
            },
          ]}
        />
      </SpaceBetween>
      {isSaving && statements !== undefined ? (
        <SavePolicy name={name} before={saved} json={json.trim()} after={statements} onClose={() => setIsSaving(false)} />
      ) : null}
    </SpaceBetween>
  );
}
