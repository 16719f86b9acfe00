import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { strings } from "../strings";
import { PolicyChanges } from "./PolicyChanges";
import type { Conflict } from "./useReplaceDocument";

interface Props {
  conflict: Conflict | undefined;
  /** Takes the current document into the editor in place of the edit. */
  onTake: (current: string) => void;
}

/** Says that somebody else changed the document, what they changed, and asks which of the two goes on. */
export function DocumentChanged({ conflict, onTake }: Props) {
  const text = strings.changed;
  if (conflict === undefined) return null;
  const { base, current, accept } = conflict;
  return (
    <div role="alert">
      <Alert type="warning" header={text.title}>
        <SpaceBetween size="s">
          <Box>{text.text}</Box>
          {current === "" ? <Box>{text.gone}</Box> : <PolicyChanges before={base} after={current} />}
          <SpaceBetween size="xs" direction="horizontal">
            <Button
              formAction="none"
              onClick={() => {
                onTake(current);
                accept();
              }}
            >
              {text.take}
            </Button>
            <Button formAction="none" onClick={accept}>
              {text.keep}
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      </Alert>
    </div>
  );
}
