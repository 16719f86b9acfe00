import Autosuggest from "@cloudscape-design/components/autosuggest";
import Button from "@cloudscape-design/components/button";
import Grid from "@cloudscape-design/components/grid";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import * as complete from "../../lib/policy/completion";
import { setCondition, type Statement } from "../../lib/policy/document";
import { strings } from "../../strings";
import { ValuesField } from "./ValuesField";

interface Props {
  text: string;
  index: number;
  statement: Statement;
  onChange: (text: string) => void;
  tables: complete.Tables;
  readOnly: boolean;
}

const options = (suggestions: readonly complete.Suggestion[]) =>
  suggestions.map(({ text, detail }) => ({ value: text, ...(detail === undefined ? {} : { description: detail }) }));

/** The conditions of a statement: one list of values for each operator and key. */
export function ConditionsField({ text, index, statement, onChange, tables, readOnly }: Props) {
  const words = strings.policyEditor;
  const [added, setAdded] = useState({ operator: "", key: "", value: "" });
  const isComplete = added.operator !== "" && added.key !== "" && added.value !== "";
  return (
    <SpaceBetween size="xs">
      {statement.conditions.map(({ operator, key, values }) => (
        <ValuesField
          key={`${operator} ${key}`}
          label={`${operator} ${key}`}
          values={values}
          readOnly={readOnly}
          suggestions={() => []}
          onChange={(changed) => onChange(setCondition(text, index, operator, key, changed))}
        />
      ))}
      {readOnly ? null : (
        <Grid gridDefinition={[{ colspan: 4 }, { colspan: 4 }, { colspan: 4 }]}>
          <Autosuggest
            ariaLabel={words.operator}
            placeholder={words.operator}
            value={added.operator}
            enteredTextLabel={words.useValue}
            options={options(complete.operators())}
            onChange={({ detail }) => setAdded({ ...added, operator: detail.value })}
          />
          <Autosuggest
            ariaLabel={words.key}
            placeholder={words.key}
            value={added.key}
            enteredTextLabel={words.useValue}
            options={options(complete.conditionKeys(tables, statement.actions))}
            onChange={({ detail }) => setAdded({ ...added, key: detail.value })}
          />
          <Autosuggest
            ariaLabel={words.values}
            placeholder={words.values}
            value={added.value}
            enteredTextLabel={words.useValue}
            onChange={({ detail }) => setAdded({ ...added, value: detail.value })}
          />
        </Grid>
      )}
      {readOnly ? null : (
        <Button
          formAction="none"
          disabled={!isComplete}
          onClick={() => {
            const known = statement.conditions.find(({ operator, key }) => operator === added.operator && key === added.key);
            const values = [...(known?.values ?? []), added.value];
            onChange(setCondition(text, index, added.operator, added.key, values));
            setAdded({ operator: "", key: "", value: "" });
          }}
        >
          {words.addCondition}
        </Button>
      )}
    </SpaceBetween>
  );
}
