import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import type { TagPair } from "../../api/iam/holder";
import { TAGS_MAX, tagKeyProblem, tagValueProblem } from "../../lib/names";
import { strings } from "../../strings";

interface Props {
  tags: TagPair[];
  onChange: (tags: TagPair[]) => void;
}

/** Rows of keys and values, to edit. */
export function TagRows({ tags, onChange }: Props) {
  const text = strings.iam.tags;
  const change = (at: number, tag: Partial<TagPair>) =>
    onChange(tags.map((old, index) => (index === at ? { ...old, ...tag } : old)));
  const problemText = (problem: ReturnType<typeof tagKeyProblem>) =>
    problem === undefined || problem.kind === "missing" ? undefined : strings.iam.problem(problem);
  return (
    <AttributeEditor
      items={tags}
      addButtonText={text.add}
      removeButtonText={text.removeShort}
      removeButtonAriaLabel={(tag) => text.remove(tag.key)}
      disableAddButton={tags.length >= TAGS_MAX}
      empty={text.none}
      onAddButtonClick={() => onChange([...tags, { key: "", value: "" }])}
      onRemoveButtonClick={(event) => onChange(tags.filter((_, at) => at !== event.detail.itemIndex))}
      definition={[
        {
          label: text.key,
          control: (tag, at) => <Input value={tag.key} onChange={(event) => change(at, { key: event.detail.value })} />,
          errorText: (tag) => problemText(tagKeyProblem(tag.key)),
        },
        {
          label: text.value,
          control: (tag, at) => (
            <Input value={tag.value} onChange={(event) => change(at, { value: event.detail.value })} />
          ),
          errorText: (tag) => problemText(tagValueProblem(tag.value)),
        },
      ]}
    />
  );
}
