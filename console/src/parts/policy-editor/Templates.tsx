import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import Grid from "@cloudscape-design/components/grid";
import { useState } from "react";
import { useSession } from "../../api/current";
import { insertStatements } from "../../lib/policy/document";
import { isRepositoryPattern, repositoryNames, statementsOf, templateText, TEMPLATES } from "../../lib/policy/templates";
import { strings } from "../../strings";
import { Field } from "../Field";

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** Where the cursor is in the text. */
  cursor: () => number | undefined;
}

/** Takes a template for repositories that are named first: in place of the document, or into it at the cursor. */
export function Templates({ value, onChange, cursor }: Props) {
  const text = strings.policyEditor.templates;
  const words = strings.iam.permissions;
  const registry = useSession();
  const [typed, setTyped] = useState("");
  const names = repositoryNames(typed);
  const isWrong = !names.every(isRepositoryPattern);
  const isDisabled = names.length === 0 || isWrong;
  const items = TEMPLATES.map((id) => ({ id, text: words.templates[id], description: words.templateHints[id] }));
  const kindOf = (id: string) => TEMPLATES.find((known) => known === id) ?? "pullOnly";
  return (
    <Grid gridDefinition={[{ colspan: { default: 12, s: 6 } }, { colspan: { default: 12, s: 6 } }]}>
      <Field
        label={words.repositories}
        value={typed}
        onChange={setTyped}
        constraint={words.repositoriesHint}
        error={isWrong ? words.repositoriesProblem : undefined}
        placeholder="app, my-app-*"
        isOptional
      />
      <div role="group" aria-label={text.title} style={{ display: "flex", flexWrap: "wrap", gap: "8px", paddingBlockStart: "24px" }}>
        <ButtonDropdown
          disabled={isDisabled}
          items={items}
          onItemClick={({ detail }) => onChange(templateText(kindOf(detail.id), names, registry))}
        >
          {text.replace}
        </ButtonDropdown>
        <ButtonDropdown
          disabled={isDisabled}
          items={items}
          onItemClick={({ detail }) =>
            onChange(insertStatements(value, statementsOf(kindOf(detail.id), names, registry), cursor()))
          }
        >
          {text.insert}
        </ButtonDropdown>
      </div>
    </Grid>
  );
}
