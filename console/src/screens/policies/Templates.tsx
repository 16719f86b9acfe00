import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { isRepositoryPattern, repositoryNames, templateText, type Registry, type TemplateKind } from "../../lib/policy/templates";
import { Field } from "../../parts/Field";
import { strings } from "../../strings";

const KINDS: TemplateKind[] = ["pushAndPull", "pullOnly", "administer"];

/** Fills the document from a template, for repositories that are named first. */
export function Templates({ registry, onChange }: { registry: Registry; onChange: (document: string) => void }) {
  const text = strings.iam.permissions;
  const [typed, setTyped] = useState("");
  const names = repositoryNames(typed);
  const isWrong = !names.every(isRepositoryPattern);
  return (
    <SpaceBetween size="xs">
      <Field
        label={text.repositories}
        value={typed}
        onChange={setTyped}
        constraint={text.repositoriesHint}
        error={isWrong ? text.repositoriesProblem : undefined}
        placeholder="app, my-app-*"
        isOptional
      />
      <ButtonDropdown
        disabled={names.length === 0 || isWrong}
        items={KINDS.map((id) => ({ id, text: text.templates[id], description: text.templateHints[id] }))}
        onItemClick={(event) => {
          const kind = KINDS.find((known) => known === event.detail.id);
          if (kind !== undefined) onChange(templateText(kind, names, registry));
        }}
      >
        {text.choices.template}
      </ButtonDropdown>
    </SpaceBetween>
  );
}
