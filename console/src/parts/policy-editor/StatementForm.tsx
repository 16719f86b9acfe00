import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import * as complete from "../../lib/policy/completion";
import { removeStatement, setMember, setValues, type Statement } from "../../lib/policy/document";
import { strings } from "../../strings";
import { ConditionsField } from "./ConditionsField";
import { ValuesField } from "./ValuesField";

interface Props {
  text: string;
  index: number;
  statement: Statement;
  onChange: (text: string) => void;
  tables: complete.Tables;
  names: complete.Names;
  existingArns: readonly string[];
  readOnly: boolean;
}

/** One statement: each field changes its member of the text, and no other. */
export function StatementForm({ text, index, statement, onChange, tables, names, existingArns, readOnly }: Props) {
  const words = strings.policyEditor;
  const { effect, actions, resources, principals } = statement;
  const name = statement.sid ?? words.unnamed(index + 1);
  const set = (member: string, values: readonly string[]) => onChange(setValues(text, index, member, values));
  return (
    <ExpandableSection
      variant="container"
      defaultExpanded={index === 0}
      headerText={words.statement(name, effect === undefined ? words.noEffect : words.effects[effect])}
    >
      <SpaceBetween size="s">
        <FormField label={words.sid}>
          <Input
            value={statement.sid ?? ""}
            readOnly={readOnly}
            onChange={({ detail }) => onChange(setMember(text, index, "Sid", detail.value === "" ? undefined : detail.value))}
          />
        </FormField>
        <FormField label={words.effect}>
          <RadioGroup
            value={effect ?? null}
            items={(["Allow", "Deny"] as const).map((value) => ({ value, label: words.effects[value], disabled: readOnly }))}
            onChange={({ detail }) => onChange(setMember(text, index, "Effect", detail.value))}
          />
        </FormField>
        {Object.entries(principals ?? {}).map(([type, named]) => (
          <ValuesField
            key={type}
            label={type === "AWS" ? words.principals(statement.notPrincipal) : words.otherPrincipals(type)}
            values={named}
            readOnly={readOnly}
            suggestions={() => existingArns.map((arn) => ({ text: arn }))}
            onChange={(values) => {
              const all = { ...principals, [type]: values.length === 1 ? values[0] : values };
              onChange(setMember(text, index, statement.notPrincipal ? "NotPrincipal" : "Principal", all));
            }}
          />
        ))}
        <ValuesField
          label={words.actions(statement.notAction)}
          values={actions}
          readOnly={readOnly}
          suggestions={(written) => complete.actions(tables, written)}
          onChange={(values) => set(statement.notAction ? "NotAction" : "Action", values)}
        />
        {resources === undefined ? null : (
          <ValuesField
            label={words.resources(statement.notResource)}
            values={resources}
            readOnly={readOnly}
            suggestions={() => complete.resources(tables, actions, existingArns, names)}
            onChange={(values) => set(statement.notResource ? "NotResource" : "Resource", values)}
          />
        )}
        <ConditionsField text={text} index={index} statement={statement} onChange={onChange} tables={tables} readOnly={readOnly} />
        {readOnly ? null : <Button formAction="none" onClick={() => onChange(removeStatement(text, index))}>{words.remove}</Button>}
      </SpaceBetween>
    </ExpandableSection>
  );
}
