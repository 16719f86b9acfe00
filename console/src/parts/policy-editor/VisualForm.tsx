import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useSession } from "../../api/current";
import type { PolicyKind } from "../../api/policies";
import { loadTables } from "../../lib/policy/completion";
import { addStatement, readPolicy } from "../../lib/policy/document";
import { strings } from "../../strings";
import { StatementForm } from "./StatementForm";

interface Props {
  value: string;
  onChange: (value: string) => void;
  kind: PolicyKind;
  existingArns: readonly string[];
  readOnly: boolean;
}

/** What a new statement holds, by the kind of document. */
const EMPTY: Record<PolicyKind, Record<string, unknown>> = {
  identity: { Effect: "Allow", Action: [], Resource: [] },
  trust: { Effect: "Allow", Principal: { AWS: [] }, Action: "sts:AssumeRole" },
  resource: { Effect: "Allow", Principal: { AWS: [] }, Action: [] },
  scp: { Effect: "Deny", Action: [], Resource: "*" },
};

/** The document as a form, one section a statement. */
export function VisualForm({ value, onChange, kind, existingArns, readOnly }: Props) {
  const tables = useQuery({ queryKey: ["policy-tables"], queryFn: loadTables, staleTime: Infinity });
  const { partition, region, account } = useSession();
  const document = readPolicy(value.trim() === "" ? "{}" : value);
  const words = strings.policyEditor;
  if (document.problem !== undefined) return <Alert type="info">{words.unreadable}</Alert>;
  return (
    <SpaceBetween size="s">
      {document.statements.map((statement, index) => (
        <StatementForm
          key={index}
          text={value}
          index={index}
          statement={statement}
          onChange={onChange}
          tables={tables.data ?? {}}
          names={{ partition, region, account }}
          existingArns={existingArns}
          readOnly={readOnly}
        />
      ))}
      {readOnly ? null : (
        <Button formAction="none" iconName="add-plus" onClick={() => onChange(addStatement(value, EMPTY[kind]))}>
          {words.add}
        </Button>
      )}
    </SpaceBetween>
  );
}
