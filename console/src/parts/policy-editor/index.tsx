/**
 * A policy document as JSON beside a form, with findings at their line and a simulator below: one document, which the
 * owner keeps.
 *
 *     <PolicyEditor kind="identity" value={text} onChange={setText} principal={userArn} />
 *
 * - `kind`: `identity`, `trust` (a role's trust policy), `resource` (a repository's policy) or `scp`.
 * - `value`, `onChange`: the document's text. An edit in the form leaves the text's formatting as it is.
 * - `principal`: the ARN of the user or role that the simulator asks about first.
 * - `resource`: the ARN of the resource whose policy it is; the simulator asks about it first.
 * - `existingArns`: ARNs that are offered where a resource is written.
 * - `form`: a form of the document in place of the general one, such as that of a repository's policy.
 * - `readOnly`: shows the document without changing it.
 */

import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { Suspense, lazy, useRef, useState, type ReactNode } from "react";
import type { PolicyKind } from "../../api/policies";
import { strings } from "../../strings";
import { Findings } from "./Findings";
import type { EditorHandle } from "./JsonEditor";
import { Simulator } from "./Simulator";
import { Templates } from "./Templates";
import { VisualForm } from "./VisualForm";
import { useFindings } from "./useFindings";

const JsonEditor = lazy(() => import("./JsonEditor"));

export interface PolicyEditorProps {
  kind: PolicyKind;
  value: string;
  onChange: (value: string) => void;
  principal?: string;
  resource?: string;
  existingArns?: readonly string[];
  form?: ReactNode;
  readOnly?: boolean;
}

type View = "both" | "json" | "form";

const NO_ARNS: readonly string[] = [];

export function PolicyEditor(props: PolicyEditorProps) {
  const { kind, value, onChange, principal, resource, existingArns = NO_ARNS, readOnly = false } = props;
  const [view, setView] = useState<View>("both");
  const editor = useRef<EditorHandle>(null);
  const found = useFindings(value, kind);
  const text = strings.policyEditor;
  const json = (
    <Suspense fallback={text.loading}>
      <JsonEditor
        handle={editor}
        value={value}
        onChange={onChange}
        findings={found.findings}
        existingArns={existingArns}
        readOnly={readOnly}
      />
    </Suspense>
  );
  const form = props.form ?? (
    <VisualForm value={value} onChange={onChange} kind={kind} existingArns={existingArns} readOnly={readOnly} />
  );
  const half = { default: 12, s: 6 };
  return (
    <SpaceBetween size="m">
      <SegmentedControl
        label={text.view}
        selectedId={view}
        options={(["both", "json", "form"] as const).map((id) => ({ id, text: text.views[id] }))}
        onChange={({ detail }) => setView(detail.selectedId as View)}
      />
      {kind === "identity" && !readOnly ? (
        <Templates value={value} onChange={onChange} cursor={() => editor.current?.cursor()} />
      ) : null}
      {view === "both" ? (
        <Grid gridDefinition={[{ colspan: half }, { colspan: half }]}>
          {form}
          {json}
        </Grid>
      ) : view === "json" ? (
        json
      ) : (
        form
      )}
      <Findings
        {...found}
        text={value}
        onFix={readOnly ? undefined : onChange}
        onGoTo={view === "form" ? undefined : (from, to) => editor.current?.select(from, to)}
      />
      <Container>
        <Simulator kind={kind} document={value} principal={principal} resource={resource} />
      </Container>
    </SpaceBetween>
  );
}
