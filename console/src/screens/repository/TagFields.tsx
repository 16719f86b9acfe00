import AttributeEditor from "@cloudscape-design/components/attribute-editor";
import Input from "@cloudscape-design/components/input";
import { strings } from "../../strings";

interface TagValue {
  key: string;
  value: string;
}

interface Props {
  tags: TagValue[];
  onChange: (tags: TagValue[]) => void;
}

/** A resource takes no more tags (ECR API Reference, TagResource). */
const TAGS_MAX = 50;

export function TagFields({ tags, onChange }: Props) {
  const text = strings.repositories.form;
  const set = (index: number, change: Partial<TagValue>) =>
    onChange(tags.map((tag, at) => (at === index ? { ...tag, ...change } : tag)));
  return (
    <AttributeEditor
      items={tags}
      addButtonText={text.addTag}
      disableAddButton={tags.length >= TAGS_MAX}
      removeButtonText={strings.frame.remove}
      removeButtonAriaLabel={(tag) => text.removeTag(tag.key)}
      empty={text.noTags}
      onAddButtonClick={() => onChange([...tags, { key: "", value: "" }])}
      onRemoveButtonClick={({ detail }) => onChange(tags.filter((_, index) => index !== detail.itemIndex))}
      definition={[
        {
          label: text.tagKey,
          control: (tag, index) => (
            <Input
              value={tag.key}
              ariaLabel={`${text.tagKey} ${index + 1}`}
              onChange={({ detail }) => set(index, { key: detail.value })}
            />
          ),
        },
        {
          label: text.tagValue,
          control: (tag, index) => (
            <Input
              value={tag.value}
              ariaLabel={`${text.tagValue} ${index + 1}`}
              onChange={({ detail }) => set(index, { value: detail.value })}
            />
          ),
        },
      ]}
    />
  );
}
