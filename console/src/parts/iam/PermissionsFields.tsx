import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { choiceProblems, inlinePolicyOf, type PermissionsChoice } from "../../lib/permissions-choice";
import { TEMPLATES, type Registry } from "../../lib/policy/templates";
import { strings } from "../../strings";
import { Field } from "../Field";
import { PolicyEdit, PolicyText } from "../PolicyText";
import { PolicyPicker } from "./PolicyPicker";

interface Props {
  choice: PermissionsChoice;
  onChange: (choice: PermissionsChoice) => void;
  registry: Registry;
  /** Whether missing answers are marked. */
  isSent: boolean;
}

const KINDS: PermissionsChoice["kind"][] = ["none", "template", "managed", "json"];

/** The permissions of a new user, group or role. */
export function PermissionsFields({ choice, onChange, registry, isSent }: Props) {
  const text = strings.iam.permissions;
  const problems = isSent ? choiceProblems(choice) : {};
  const change = (part: Partial<PermissionsChoice>) => onChange({ ...choice, ...part });
  return (
    <SpaceBetween size="l">
      <FormField label={text.choice} stretch>
        <Tiles
          ariaLabel={text.choice}
          columns={2}
          value={choice.kind}
          items={KINDS.map((kind) => ({ value: kind, label: text.choices[kind], description: text.choiceHints[kind] }))}
          onChange={(event) => {
            const kind = KINDS.find((known) => known === event.detail.value) ?? "none";
            // Whoever writes the document begins with the template's.
            const begun = choice.document === "" && choice.kind === "template" ? inlinePolicyOf(choice, registry) : undefined;
            change({ kind, ...(begun === undefined ? {} : { document: begun }) });
          }}
        />
      </FormField>
      {choice.kind === "template" ? (
        <Template choice={choice} change={change} problem={problems.repositories} registry={registry} />
      ) : null}
      {choice.kind === "managed" ? (
        <PolicyPicker arns={choice.arns} onChange={(arns) => change({ arns })} problem={problems.arns} />
      ) : null}
      {choice.kind === "json" ? (
        <PolicyEdit
          label={text.document}
          value={choice.document}
          onChange={(document) => change({ document })}
          error={problems.document === undefined ? undefined : text.notJson}
        />
      ) : null}
      {choice.kind === "template" || choice.kind === "json" ? (
        <Field
          label={text.policyName}
          value={choice.policyName}
          onChange={(policyName) => change({ policyName })}
          constraint={strings.iam.nameHint(128)}
          problem={problems.policyName}
        />
      ) : null}
    </SpaceBetween>
  );
}

interface TemplateProps {
  choice: PermissionsChoice;
  change: (part: Partial<PermissionsChoice>) => void;
  problem: "missing" | "characters" | undefined;
  registry: Registry;
}

function Template({ choice, change, problem, registry }: TemplateProps) {
  const text = strings.iam.permissions;
  const errors = { missing: text.repositoriesMissing, characters: text.repositoriesProblem };
  return (
    <SpaceBetween size="m">
      <FormField label={text.template}>
        <RadioGroup
          ariaLabel={text.template}
          value={choice.template}
          items={TEMPLATES.map((kind) => ({
            value: kind,
            label: text.templates[kind],
            description: text.templateHints[kind],
          }))}
          onChange={(event) =>
            change({ template: TEMPLATES.find((kind) => kind === event.detail.value) ?? "pushAndPull" })
          }
        />
      </FormField>
      <FormField
        label={text.repositories}
        constraintText={text.repositoriesHint}
        errorText={problem === undefined ? undefined : errors[problem]}
        stretch
      >
        <Input
          value={choice.repositories}
          onChange={(event) => change({ repositories: event.detail.value })}
          spellcheck={false}
          autoComplete={false}
          placeholder="app, my-app-*"
        />
      </FormField>
      <PolicyText label={text.document} value={inlinePolicyOf(choice, registry) ?? ""} />
    </SpaceBetween>
  );
}
