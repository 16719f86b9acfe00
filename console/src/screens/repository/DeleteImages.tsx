import Alert from "@cloudscape-design/components/alert";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { deleteImages, type ImageDetail } from "../../api/ecr";
import { shortDigest } from "../../lib/format";
import { deletionsOfImages } from "../../lib/repository-changes";
import { Dialog } from "../../parts/Dialog";
import { useFlash } from "../../parts/flash";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";

interface Props {
  name: string;
  images: ImageDetail[];
  /** `deleted` says that all of them are gone. */
  onClose: (deleted: boolean) => void;
}

/** Lists what is deleted, deletes it, and says what stayed and why. */
export function DeleteImages({ name, images, onClose }: Props) {
  const text = strings.repository.deleteImages;
  const queries = useQueryClient();
  const flash = useFlash();
  const digests = images.flatMap(({ imageDigest }) => imageDigest ?? []);
  const deletions = deletionsOfImages(name, digests);
  const remove = useMutation({
    mutationFn: () => deleteImages(deletions),
    onSuccess: async (failures) => {
      if (failures.length < digests.length) flash.success(text.done(digests.length - failures.length));
      if (failures.length === 0) onClose(true);
      // Only the list is read again at once: a deleted image's own page would ask for what is gone.
      await queries.invalidateQueries({ queryKey: repositoryKey(name), refetchType: "none" });
      await queries.refetchQueries({ queryKey: [...repositoryKey(name), "images"], type: "active" });
    },
  });
  const stayed = remove.data ?? [];
  return (
    <Dialog
      title={text.title(digests.length)}
      submit={strings.frame.delete}
      onSubmit={() => remove.mutate()}
      onClose={() => onClose(false)}
      isRunning={remove.isPending}
      isDisabled={stayed.length > 0}
      error={remove.error ?? undefined}
      changes={deletions}
    >
      <div>
        {text.what}
        <ul>
          {images.map(({ imageDigest = "", imageTags = [] }) => (
            <li key={imageDigest}>
              <code>{shortDigest(imageDigest)}</code> {imageTags.join(", ")}
            </li>
          ))}
        </ul>
        {text.held}
      </div>
      {stayed.length === 0 ? null : (
        <Alert type="error" header={text.stayed}>
          <ul>
            {stayed.map(({ imageId, failureCode = "", failureReason = "" }, index) => (
              <li key={index}>
                <code>{shortDigest(imageId?.imageDigest ?? "")}</code> {failureCode}: {failureReason}
              </li>
            ))}
          </ul>
        </Alert>
      )}
    </Dialog>
  );
}
