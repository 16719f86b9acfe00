import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { ImageDetail } from "../../api/ecr";
import { perform } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { useFlash } from "../../parts/flash";
import { shortDigest } from "../../lib/format";
import { deletionOfRepository } from "../../lib/repository-changes";
import { strings } from "../../strings";
import { imagesQuery, repositoryKey } from "./queries";

interface Props {
  name: string;
  onDismiss: () => void;
  onDeleted: () => void;
}

/** Images that are looked at, and those of them that are named. */
const COUNTED = 1000;
const NAMED = 10;

/** Shows what a repository holds, and deletes both after its name was typed. */
export function DeleteRepository({ name, onDismiss, onDeleted }: Props) {
  const text = strings.repository.deleteRepository;
  const [typed, setTyped] = useState("");
  const queries = useQueryClient();
  const flash = useFlash();
  const images = useQuery(imagesQuery(name, undefined, COUNTED));
  const held = images.data?.items;
  // What was not shown is not deleted: an empty repository must still be empty.
  const deletion = deletionOfRepository(name, held === undefined || held.length > 0);
  const remove = useMutation({
    mutationFn: () => perform(deletion),
    onSuccess: async () => {
      flash.success(text.done(name));
      // The page first: what shows the repository would ask for it again.
      onDeleted();
      await queries.cancelQueries({ queryKey: repositoryKey(name) });
      await queries.invalidateQueries({ queryKey: ["repositories"] });
    },
  });
  return (
    <Dialog
      title={text.title(name)}
      submit={text.submit}
      onSubmit={() => remove.mutate()}
      onClose={onDismiss}
      isRunning={remove.isPending}
      isDisabled={typed !== name || images.isPending}
      error={remove.error ?? undefined}
      changes={images.isPending ? [] : [deletion]}
    >
      {images.error === null ? null : (
        <Alert type="warning" header={text.unknown}>
          {images.error.message}
        </Alert>
      )}
      {held === undefined ? null : <Held images={held} hasMore={images.data?.nextToken !== undefined} />}
      <Alert type="warning">{text.warning}</Alert>
      <FormField label={text.confirm(name)}>
        <Input value={typed} autoComplete={false} onChange={({ detail }) => setTyped(detail.value)} />
      </FormField>
    </Dialog>
  );
}

function Held({ images, hasMore }: { images: ImageDetail[]; hasMore: boolean }) {
  const text = strings.repository.deleteRepository;
  if (images.length === 0) return <Box variant="p">{text.empty}</Box>;
  return (
    <div>
      {text.holds(hasMore ? text.atLeast(images.length) : String(images.length))}
      <ul>
        {images.slice(0, NAMED).map(({ imageDigest = "", imageTags = [] }) => (
          <li key={imageDigest}>
            <code>{shortDigest(imageDigest)}</code> {imageTags.join(", ")}
          </li>
        ))}
        {images.length > NAMED ? <li>…</li> : null}
      </ul>
    </div>
  );
}
