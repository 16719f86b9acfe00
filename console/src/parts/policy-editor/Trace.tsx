import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { trace, type Simulation } from "../../api/policies";
import {
  isTelling,
  missedElements,
  orderedStatements,
  shownPolicies,
  type TracedPolicy,
  type TracedStatement,
} from "../../lib/policy/trace";
import { strings } from "../../strings";
import { ComparedElements } from "../ComparedElements";
import { Failure } from "../Failure";

/** Statements of a policy that are shown at first. */
const SHOWN_AT_FIRST = 10;

const text = strings.trace;

/** How each statement compares with a simulated request: which element did not match, and why. */
export function Trace({ question, heading }: { question: string; heading: "h2" | "h4" }) {
  const answer = useQuery({
    queryKey: ["simulation-trace", question],
    queryFn: ({ signal }) => trace(JSON.parse(question) as Simulation, signal),
    retry: false,
  });
  const found = answer.data;
  return (
    <SpaceBetween size="xs">
      <Box variant={heading}>{text.title}</Box>
      {answer.error !== null ? (
        <Failure error={answer.error} />
      ) : found === undefined ? (
        <StatusIndicator type="loading">{text.asking}</StatusIndicator>
      ) : (
        <SpaceBetween size="xs">
          <Box>{found.summary}</Box>
          {(found.notes ?? []).map((note) => (
            <Box key={note} variant="small">
              {note}
            </Box>
          ))}
          {shownPolicies(found).map((policy, index) => (
            <Policy key={`${question} ${index}`} policy={policy} />
          ))}
          {found.isTruncated === true ? <StatusIndicator type="warning">{text.truncated}</StatusIndicator> : null}
        </SpaceBetween>
      )}
    </SpaceBetween>
  );
}

function nameOf({ policyArn, policyName, holderName }: TracedPolicy): string {
  if (policyName === undefined) return policyArn ?? "";
  return holderName === undefined ? text.edited : text.inline(holderName, policyName);
}

function Policy({ policy }: { policy: TracedPolicy }) {
  const [isWhole, setWhole] = useState(false);
  const statements = orderedStatements(policy.statements);
  const shown = isWhole ? statements : statements.slice(0, SHOWN_AT_FIRST);
  const applying = statements.filter(({ isMatch }) => isMatch).length;
  const isHidden = policy.requiredAction !== undefined;
  return (
    <ExpandableSection
      headerText={text.policy(text.policyTypes[policy.policyType] ?? policy.policyType, nameOf(policy))}
      {...(isHidden ? {} : { headerDescription: text.applying(applying, statements.length) })}
      defaultExpanded={isTelling(policy) || isHidden}
    >
      {policy.requiredAction === undefined ? null : <Box variant="small">{text.hidden(policy.requiredAction)}</Box>}
      <SpaceBetween size="m">
        {shown.map((statement) => (
          <Statement key={statement.statementIndex} statement={statement} />
        ))}
        {shown.length === statements.length ? null : (
          <Button onClick={() => setWhole(true)}>{text.showAll(statements.length)}</Button>
        )}
      </SpaceBetween>
    </ExpandableSection>
  );
}

function Statement({ statement }: { statement: TracedStatement }) {
  const { effect, isMatch, isDecisive, isNearest, line } = statement;
  const label = text.statement(statement.statementId ?? String(statement.statementIndex + 1), effect, line);
  const type = isMatch ? (effect === "Allow" ? "success" : "error") : "stopped";
  return (
    <SpaceBetween size="xxs">
      <StatusIndicator type={type}>
        {label}: {isMatch ? text.applies[effect] : text.misses(missedElements(statement).join(", "))}
      </StatusIndicator>
      {isDecisive ? <Box variant="small">{text.decisive}</Box> : null}
      {isNearest ? <Box variant="small">{text.nearest}</Box> : null}
      <ComparedElements label={text.elements(label)} elements={statement.elements} />
    </SpaceBetween>
  );
}
