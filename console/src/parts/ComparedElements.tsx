import Box from "@cloudscape-design/components/box";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { ComparedElement } from "../api/denials";
import { strings } from "../strings";
import { LongName } from "./Values";

const words = strings.compared;

const COLUMNS = [
  { id: "element", header: words.element, isRowHeader: true, minWidth: 110, cell: (one: ComparedElement) => one.element },
  {
    id: "matches",
    header: words.matches,
    minWidth: 100,
    cell: (one: ComparedElement) => (
      <StatusIndicator type={one.isMatch ? "success" : "error"}>{one.isMatch ? words.yes : words.no}</StatusIndicator>
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

/** The elements of a statement: which matched, the values of the policy and those of the request. */
export function ComparedElements({ label, elements }: { label: string; elements: readonly ComparedElement[] }) {
  return (
    <Table
      variant="embedded"
      wrapLines
      ariaLabels={{ tableLabel: label }}
      header={<Box variant="strong">{label}</Box>}
      items={elements}
      columnDefinitions={COLUMNS}
    />
  );
}
