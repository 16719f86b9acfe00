import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { REPOSITORY_ACTIONS, type FormStatement } from "../../lib/repository-policy";
import { strings } from "../../strings";
import { Lines } from "../../parts/Lines";

interface Props {
  statement: FormStatement;
  index: number;
  onChange: (statement: FormStatement) => void;
  onRemove: () => void;
}

const text = strings.repository.permissions;
const KNOWN = new Set(REPOSITORY_ACTIONS.flatMap(({ actions }) => actions));
const OPTIONS = REPOSITORY_ACTIONS.map(({ group, actions }) => ({
  label: text.groups[group],
  options: actions.map((value) => ({ value, label: value })),
}));

/** One statement: name, effect, principals of each kind, actions grouped as read, write and manage. */
export function Statement({ statement, index, onChange, onRemove }: Props) {
  const set = (change: Partial<FormStatement>) => onChange({ ...statement, ...change });
  const title = text.statement(index, statement.sid);
  const others = statement.actions.filter((action) => !KNOWN.has(action));
  const chosen = statement.actions.filter((action) => KNOWN.has(action));
  const rest = Object.keys(statement.rest);
  return (
    <Container
      header={
        <Header
          variant="h3"
          actions={
            <Button onClick={onRemove} ariaLabel={text.removeStatement(title)}>
              {strings.frame.remove}
            </Button>
          }
        >
          {title}
        </Header>
      }
    >
      <SpaceBetween size="m">
        {rest.length === 0 ? null : <Alert type="info">{text.rest(rest.join(", "))}</Alert>}
        <FormField label={text.sid}>
          <Input value={statement.sid} onChange={({ detail }) => set({ sid: detail.value })} />
        </FormField>
        <FormField label={text.effect}>
          <SegmentedControl
            label={text.effect}
            selectedId={statement.effect}
            options={(["Allow", "Deny"] as const).map((id) => ({ id, text: text.effects[id] }))}
            onChange={({ detail }) => set({ effect: detail.selectedId === "Deny" ? "Deny" : "Allow" })}
          />
        </FormField>
        <Checkbox
          checked={statement.everyone}
          description={text.everyoneWarning}
          onChange={({ detail }) => set({ everyone: detail.checked })}
        >
          {text.everyone}
        </Checkbox>
        <Lines
          label={text.entities}
          hint={text.entitiesHint}
          values={statement.entities}
          onChange={(entities) => set({ entities })}
        />
        <Lines
          label={text.accounts}
          hint={text.accountsHint}
          values={statement.accounts}
          onChange={(accounts) => set({ accounts })}
        />
        <Lines
          label={text.services}
          hint={text.servicesHint}
          values={statement.services}
          onChange={(services) => set({ services })}
        />
        <FormField label={text.actions}>
          <Multiselect
            options={OPTIONS}
            selectedOptions={chosen.map((value) => ({ value, label: value }))}
            placeholder={text.chooseActions}
            ariaLabel={text.actions}
            filteringType="auto"
            onChange={({ detail }) =>
              set({ actions: [...others, ...detail.selectedOptions.flatMap(({ value }) => value ?? [])] })
            }
          />
        </FormField>
        <Lines
          label={text.otherActions}
          hint={text.otherActionsHint}
          values={others}
          onChange={(actions) => set({ actions: [...chosen, ...actions] })}
        />
      </SpaceBetween>
    </Container>
  );
}
