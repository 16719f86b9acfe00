import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useSession } from "../../api/current";
import type { Destination, Problem, RuleForm } from "../../lib/replication";
import { Lines } from "../../parts/Lines";
import { strings } from "../../strings";

const text = strings.replication;

interface Props {
  number: number;
  rule: RuleForm;
  problem: Problem | undefined;
  onChange: (rule: RuleForm) => void;
  onRemove: () => void;
}

/** One rule: where to, which repositories, and whether deletions are repeated. */
export function Rule({ number, rule, problem, onChange, onRemove }: Props) {
  const { account } = useSession();
  const { destinations } = rule;
  const set = (at: number, part: Partial<Destination>) =>
    onChange({ ...rule, destinations: destinations.map((one, place) => (place === at ? { ...one, ...part } : one)) });
  const field = (member: keyof Destination, label: string) => ({
    label,
    control: (one: Destination, at: number) => (
      <Input
        value={one[member]}
        ariaLabel={text.ofRule(label, number, at + 1)}
        autoComplete={false}
        spellcheck={false}
        onChange={({ detail }) => set(at, { [member]: detail.value.trim() })}
      />
    ),
  });
  return (
    <div role="group" aria-label={text.rule(number)}>
      <SpaceBetween size="s">
        <Box variant="h3">{text.rule(number)}</Box>
        <AttributeEditor
          items={destinations}
          addButtonText={text.addDestination}
          removeButtonText={strings.frame.remove}
          removeButtonAriaLabel={({ region }) => text.removeDestination(region)}
          empty={text.noDestinations}
          onAddButtonClick={() =>
            onChange({ ...rule, destinations: [...destinations, { region: "", registryId: account }] })
          }
          onRemoveButtonClick={({ detail }) =>
            onChange({ ...rule, destinations: destinations.filter((_, at) => at !== detail.itemIndex) })
          }
          definition={[field("region", text.region), field("registryId", text.account)]}
        />
        <Lines
          label={text.filters(number)}
          hint={text.filtersHint}
          values={rule.filters}
          onChange={(filters) => onChange({ ...rule, filters })}
        />
        <Checkbox
          checked={rule.deletes}
          description={text.deletesHint}
          onChange={({ detail }) => onChange({ ...rule, deletes: detail.checked })}
        >
          {text.deletes}
        </Checkbox>
        {problem === undefined ? null : (
          <Box color="text-status-error">
            <span role="alert">{text.problems[problem]}</span>
          </Box>
        )}
        <Button onClick={onRemove}>{text.remove(number)}</Button>
      </SpaceBetween>
    </div>
  );
}
