import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Autosuggest from "@cloudscape-design/components/autosuggest";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import LiveRegion from "@cloudscape-design/components/live-region";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { simulate, type PolicyKind, type Simulated } from "../../api/policies";
import { actions, loadTables } from "../../lib/policy/completion";
import { readPolicy } from "../../lib/policy/document";
import { typeSteps } from "../../lib/policy/simulation";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { useSettled } from "../useSettled";
import { Trace } from "./Trace";

interface Props {
  kind: PolicyKind;
  document: string;
  principal: string | undefined;
  resource: string | undefined;
  /** Whether the page is about nothing else, and says so. */
  isAlone?: boolean;
}

/** The simulator is asked when nobody typed for this long. */
const SETTLE_MS = 600;

const TYPES = { allowed: "success", explicitDeny: "error", implicitDeny: "stopped" } as const;

/** Asks what would be decided with the document in force, again after each change. */
export function Simulator({ kind, document, principal = "", resource = "", isAlone = false }: Props) {
  const words = strings.policyEditor;
  const [asked, setAsked] = useState({
    principal,
    action: kind === "trust" ? "sts:AssumeRole" : "ecr:PutImage",
    resource,
    context: [] as { key: string; value: string }[],
  });
  const tables = useQuery({ queryKey: ["policy-tables"], queryFn: loadTables, staleTime: Infinity });
  const question = useSettled(JSON.stringify({ kind, document, ...asked }), SETTLE_MS);
  const isComplete = asked.action.includes(":") && asked.resource !== "" && readPolicy(document).problem === undefined;
  const answer = useQuery({
    queryKey: ["simulation", question],
    queryFn: ({ signal }) => simulate(JSON.parse(question) as Parameters<typeof simulate>[0], signal),
    enabled: isComplete,
    retry: false,
  });
  const set = (change: Partial<typeof asked>) => setAsked({ ...asked, ...change });
  const setContext = (index: number, change: { key?: string; value?: string }) =>
    set({ context: asked.context.map((entry, at) => (at === index ? { ...entry, ...change } : entry)) });
  return (
    <SpaceBetween size="s">
      {isAlone ? null : (
        <Header variant="h3" description={words.simulatorHint}>
          {words.simulator}
        </Header>
      )}
      <FormField label={words.principal} description={words.principalHint}>
        <Input value={asked.principal} onChange={({ detail }) => set({ principal: detail.value })} />
      </FormField>
      <FormField label={words.action}>
        <Autosuggest
          ariaLabel={words.action}
          value={asked.action}
          enteredTextLabel={words.useValue}
          options={actions(tables.data ?? {}, asked.action).map(({ text }) => ({ value: text }))}
          onChange={({ detail }) => set({ action: detail.value })}
        />
      </FormField>
      <FormField label={words.resource}>
        <Input value={asked.resource} onChange={({ detail }) => set({ resource: detail.value })} />
      </FormField>
      <AttributeEditor
        items={asked.context}
        addButtonText={words.addContext}
        removeButtonText={words.removeContext}
        empty={null}
        definition={[
          {
            label: words.contextKey,
            control: (item, index) => (
              <Input ariaLabel={words.contextKey} value={item.key} onChange={({ detail }) => setContext(index, { key: detail.value })} />
            ),
          },
          {
            label: words.contextValue,
            control: (item, index) => (
              <Input ariaLabel={words.contextValue} value={item.value} onChange={({ detail }) => setContext(index, { value: detail.value })} />
            ),
          },
        ]}
        onAddButtonClick={() => set({ context: [...asked.context, { key: "", value: "" }] })}
        onRemoveButtonClick={({ detail }) => set({ context: asked.context.filter((_, index) => index !== detail.itemIndex) })}
      />
      <LiveRegion>
        {!isComplete ? (
          <StatusIndicator type="info">{words.incomplete}</StatusIndicator>
        ) : answer.isPending || answer.isFetching ? (
          <StatusIndicator type="loading">{words.asking}</StatusIndicator>
        ) : answer.data !== undefined ? (
          <Decision answer={answer.data} />
        ) : null}
      </LiveRegion>
      {isComplete && answer.error !== null ? <Failure error={answer.error} /> : null}
      {isComplete && answer.data !== undefined ? <Trace question={question} heading={isAlone ? "h2" : "h4"} /> : null}
    </SpaceBetween>
  );
}

const VERDICTS = { allows: "success", denies: "error", silent: "stopped" } as const;

/** The decision, and what each policy type says, in the order of evaluation. */
function Decision({ answer }: { answer: Simulated }) {
  const words = strings.policyEditor;
  return (
    <SpaceBetween size="xxs">
      <StatusIndicator type={TYPES[answer.decision]}>{words.decisions[answer.decision]}</StatusIndicator>
      <ol aria-label={words.trace}>
        {typeSteps(answer).map(({ type, verdict, statements }) => (
          <li key={type}>
            {words.policyTypes[type]}: <StatusIndicator type={VERDICTS[verdict]}>{words.verdicts[verdict]}</StatusIndicator>
            {statements.map(({ policy, line }, index) => (
              <Box key={index} variant="small">
                {" "}
                {words.decidedBy}: {words.byStatement(policy, line)}
              </Box>
            ))}
          </li>
        ))}
      </ol>
      {answer.missingContext.length === 0 ? null : <Box variant="small">{words.missing(answer.missingContext.join(", "))}</Box>}
    </SpaceBetween>
  );
}
