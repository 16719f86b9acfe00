import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { restoreTag } from "../../api/history";
import { Failure } from "../../parts/Failure";
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
  const action = useAction(() => restoreTag(name, tag, digest), {
    stale: [repositoryKey(name)],
    said: () => text.restored(tag),
    then: onClose,
  });
  return (
    <Modal
      visible
      header={text.restoreTitle(tag)}
      closeAriaLabel={strings.frame.close}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="link" onClick={onClose}>
              {strings.frame.cancel}
            </Button>
            <Button variant="primary" loading={action.isRunning} onClick={() => action.run(undefined)}>
              {text.restore}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="s">
        <Box variant="p">{text.restoreWhat(tag)}</Box>
        <Box variant="code">{digest}</Box>
        {action.error === undefined ? null : <Failure error={action.error} />}
      </SpaceBetween>
    </Modal>
  );
}
