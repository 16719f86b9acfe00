import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { ComparedElement, PolicyStep } from "../../api/denials";
import { LongName } from "../../parts/Values";
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
        <Table
          variant="embedded"
          wrapLines
          ariaLabels={{ tableLabel: text.statement(name, policy) }}
          header={<Box variant="strong">{text.statement(name, policy)}</Box>}
          items={statement.elements}
          trackBy="element"
          columnDefinitions={COLUMNS}
        />
      )}
    </SpaceBetween>
  );
}

const words = strings.denials;

const COLUMNS = [
  { id: "element", header: words.element, isRowHeader: true, cell: (one: ComparedElement) => one.element },
  {
    id: "matches",
    header: words.matches,
    cell: (one: ComparedElement) => (
      <StatusIndicator type={one.isMatch ? "success" : "error"}>{one.isMatch ? words.matchesYes : words.matchesNo}</StatusIndicator>
    ),
  },
  { id: "wanted", header: words.wanted, cell: (one: ComparedElement) => <LongName name={one.wanted.join(", ")} /> },
  {
    id: "saw",
    header: words.saw,
    cell: (one: ComparedElement) => (
      <LongName name={[one.saw?.join(", ") ?? words.notSent, ...(one.notes ?? [])].join(" · ")} />
    ),
  },
];
