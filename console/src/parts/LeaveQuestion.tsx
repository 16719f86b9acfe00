import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { Blocker } from "react-router";
import { strings } from "../strings";

/** The question that a guard asks: stay, or leave and lose what is shown. */
export function LeaveQuestion({ blocker, question }: { blocker: Blocker; question: string }) {
  const text = strings.iam.secret;
  if (blocker.state !== "blocked") return null;
  return (
    <Modal
      visible
      header={text.leaveTitle}
      closeAriaLabel={text.stay}
      onDismiss={() => blocker.reset()}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={() => blocker.proceed()}>
              {text.leave}
            </Button>
            <Button variant="primary" onClick={() => blocker.reset()}>
              {text.stay}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      {question}
    </Modal>
  );
}
