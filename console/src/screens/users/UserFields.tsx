import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { nameProblem, pathProblem } from "../../lib/names";
import { Field } from "../../parts/Field";
import { TagRows } from "../../parts/iam/TagRows";
import { strings } from "../../strings";
import { GroupPicker } from "./GroupPicker";
import type { UserDraft } from "./user-draft";

interface Props {
  draft: UserDraft;
  onChange: (part: Partial<UserDraft>) => void;
  isSent: boolean;
}

/** Name, access and groups of a new user. */
export function UserFields({ draft, onChange, isSent }: Props) {
  const text = strings.users;
  return (
    <Container header={<Header>{strings.iam.details}</Header>}>
      <SpaceBetween size="l">
        <Field
          label={text.name}
          value={draft.name}
          onChange={(name) => onChange({ name })}
          constraint={strings.iam.nameHint(64)}
          problem={nameProblem("user", draft.name)}
          isShown={isSent}
          autoFocus
        />
        <FormField label={text.access}>
          <Checkbox
            checked={draft.hasKey}
            description={text.programmaticHint}
            onChange={(event) => onChange({ hasKey: event.detail.checked })}
          >
            {text.programmatic}
          </Checkbox>
          <Checkbox
            checked={draft.hasPassword}
            description={text.consoleHint}
            onChange={(event) => onChange({ hasPassword: event.detail.checked })}
          >
            {text.console}
          </Checkbox>
        </FormField>
        {draft.hasPassword ? (
          <>
            <Field
              label={text.password}
              type="password"
              value={draft.password}
              onChange={(password) => onChange({ password })}
              constraint={text.passwordHint}
              problem={draft.password === "" ? { kind: "missing" } : undefined}
              isShown={isSent}
            />
            <Checkbox checked={draft.mustReset} onChange={(event) => onChange({ mustReset: event.detail.checked })}>
              {text.reset}
            </Checkbox>
          </>
        ) : null}
        <GroupPicker groups={draft.groups} onChange={(groups) => onChange({ groups })} />
        <ExpandableSection headerText={text.advanced}>
          <SpaceBetween size="m">
            <Field
              label={strings.iam.path}
              value={draft.path}
              onChange={(path) => onChange({ path })}
              constraint={strings.iam.pathHint}
              problem={pathProblem(draft.path)}
            />
            <TagRows tags={draft.tags} onChange={(tags) => onChange({ tags })} />
          </SpaceBetween>
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  );
}
