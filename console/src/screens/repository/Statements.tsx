import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useSession } from "../../api/current";
import { readPolicy, writePolicy, type FormStatement } from "../../lib/repository-policy";
import { strings } from "../../strings";
import { Statement } from "./Statement";

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

interface Props {
  /** The document's text; empty where there is none. */
  json: string;
  onChange: (json: string) => void;
}

/** The statements of a repository's policy as the form of ECR's console. */
export function Statements({ json, onChange }: Props) {
  const text = strings.repository.permissions;
  const { partition } = useSession();
  const read = readPolicy(json);
  const statements = Array.isArray(read) ? read : undefined;
  const write = (next: FormStatement[]) => onChange(writePolicy(json, next, partition));
  return (
    <SpaceBetween size="m">
      <Header
        variant="h2"
        actions={
          <Button
            formAction="none"
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
      {Array.isArray(read) ? null : <Alert type="error">{text.jsonError(read.error)}</Alert>}
      {statements?.map((statement, index) => (
        <Statement
          key={index}
          statement={statement}
          index={index}
          onChange={(changed) => write(statements.map((old, at) => (at === index ? changed : old)))}
          onRemove={() => {
            const rest = statements.filter((_, at) => at !== index);
            if (rest.length === 0) onChange("");
            else write(rest);
          }}
        />
      ))}
    </SpaceBetween>
  );
}
