import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { PolicyStep } from "../../api/denials";
import { ComparedElements } from "../../parts/ComparedElements";
import { strings } from "../../strings";

const INDICATORS = { Allows: "success", Denies: "error", Silent: "stopped" } as const;

/** The policy types in the order of evaluation, each with the statement that decided or came nearest. */
export function Steps({ steps }: { steps: readonly PolicyStep[] }) {
  return (
    <SpaceBetween size="m">
      {steps.map((step) => (
        <Step key={step.policyType} step={step} />
      ))}
    </SpaceBetween>
  );
}

function Step({ step }: { step: PolicyStep }) {
  const text = strings.denials;
  const { statement } = step;
  const name = statement?.statementId ?? String((statement?.statementIndex ?? 0) + 1);
  const policy = statement?.policyName ?? statement?.policyArn ?? "";
  return (
    <SpaceBetween size="xs">
      <Box variant="h3">{text.policyType(step.policyType)}</Box>
      <StatusIndicator type={INDICATORS[step.outcome]}>
        {text.outcomes[step.outcome]}
        {step.isDecisive ? `: ${text.decisive}` : ""}
      </StatusIndicator>
      {statement === undefined ? (
        step.outcome === "Silent" ? (
          <Box variant="small">{text.noStatement}</Box>
        ) : null
      ) : (
        <ComparedElements label={text.statement(name, policy)} elements={statement.elements} />
      )}
    </SpaceBetween>
  );
}
