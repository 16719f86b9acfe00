import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import type { NewCredentials } from "../../lib/credentials-csv";
import { KeyShown } from "../../parts/iam/KeyShown";
import { LeaveQuestion } from "../../parts/LeaveQuestion";
import { useLeaveGuard } from "../../parts/useLeaveGuard";
import { strings } from "../../strings";

/** A new access key, shown once. */
export function NewKey({ credentials, onClose }: { credentials: NewCredentials; onClose: () => void }) {
  const text = strings.users;
  const blocker = useLeaveGuard(true);
  return (
    <>
      <Modal
        visible
        header={text.madeTitle(credentials.userName)}
        closeAriaLabel={strings.iam.close}
        // Only the button closes it: a click beside the dialog would lose the secret.
        onDismiss={(event) => {
          if (event.detail.reason === "closeButton") onClose();
        }}
        footer={
          <Box float="right">
            <Button variant="primary" onClick={onClose}>
              {text.done}
            </Button>
          </Box>
        }
      >
        <KeyShown credentials={credentials} />
      </Modal>
      <LeaveQuestion blocker={blocker} question={text.leave} />
    </>
  );
}
