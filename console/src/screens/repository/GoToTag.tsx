import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { findByTag } from "../../api/ecr";
import { repositoryPath } from "../../lib/paths";
import { describeFailure } from "../../lib/failure";
import { strings } from "../../strings";

/** Opens the image that a tag names, on whatever page of the list it is. */
export function GoToTag({ name }: { name: string }) {
  const text = strings.repository.images;
  const navigate = useNavigate();
  const [tag, setTag] = useState("");
  const [error, setError] = useState<string>();
  const go = async () => {
    try {
      const image = await findByTag(name, tag.trim());
      if (image?.imageDigest === undefined) setError(text.noTag(tag));
      else void navigate(repositoryPath(name, { tab: "images", image: image.imageDigest }));
    } catch (failure) {
      const { code, message } = describeFailure(failure);
      setError(code === "ImageNotFoundException" ? text.noTag(tag) : message);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (tag.trim() !== "") void go();
      }}
    >
      <FormField {...(error === undefined ? {} : { errorText: error })}>
        <SpaceBetween size="xs" direction="horizontal">
          <Input
            value={tag}
            ariaLabel={text.findTag}
            placeholder={text.findTagHint}
            onChange={({ detail }) => {
              setTag(detail.value);
              setError(undefined);
            }}
          />
          <Button>{text.go}</Button>
        </SpaceBetween>
      </FormField>
    </form>
  );
}
