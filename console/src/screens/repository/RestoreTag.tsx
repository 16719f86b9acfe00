import Box from "@cloudscape-design/components/box";
import { performAll } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";

interface Props {
  name: string;
  tag: string;
  digest: string;
  onClose: () => void;
}

/** Asks before a tag names an earlier image again. */
export function RestoreTag({ name, tag, digest, onClose }: Props) {
  const text = strings.activity;
  const input = { repositoryName: name, imageTag: tag, imageDigest: digest };
  const changes = [{ service: "berth", operation: "RestoreTag", input }];
  const action = useAction(() => performAll(changes), {
    stale: [repositoryKey(name)],
    said: () => text.restored(tag),
    then: onClose,
  });
  return (
    <Dialog
      title={text.restoreTitle(tag)}
      submit={text.restore}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      error={action.error}
      changes={changes}
    >
      <Box variant="p">{text.restoreWhat(tag)}</Box>
      <Box variant="code">{digest}</Box>
    </Dialog>
  );
}
