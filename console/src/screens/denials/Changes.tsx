import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { apply, type ProposedChange } from "../../api/denials";
import { DocumentChanged } from "../../lib/policy/replace";
import { Copy } from "../../parts/Copy";
import { Dialog } from "../../parts/Dialog";
import { useFlash } from "../../parts/flash";
import { LineDiff } from "../../parts/LineDiff";
import { Sentence } from "../../parts/Values";
import { strings } from "../../strings";

interface Props {
  changes: readonly ProposedChange[];
  /** Asks for a proposal anew. */
  onPropose: () => void;
}

/** The changed documents, each as a difference with a button that makes the change. */
export function Changes({ changes, onPropose }: Props) {
  return (
    <SpaceBetween size="l">
      {changes.map((change, index) => (
        <Change key={`${change.operation}-${index}`} change={change} onPropose={onPropose} />
      ))}
    </SpaceBetween>
  );
}

const placeOf = ({ holderName, policyName, policyArn, resourceArn }: ProposedChange): string =>
  [holderName, policyName ?? policyArn ?? resourceArn].filter((part) => part !== undefined).join(" / ");

function Change({ change, onPropose }: { change: ProposedChange; onPropose: () => void }) {
  const text = strings.denials;
  const flash = useFlash();
  const [isAsking, setIsAsking] = useState(false);
  const place = placeOf(change);
  const applying = useMutation({
    mutationFn: () => apply(change),
    onSuccess: () => {
      flash.success(text.applied(place));
      onPropose();
    },
    onError: (error) => {
      if (!(error instanceof DocumentChanged)) flash.failure(error);
    },
    onSettled: () => setIsAsking(false),
  });
  const { newDocument, requiredAction } = change;
  return (
    <SpaceBetween size="s">
      <Box variant="h3">{text.changeOf(change.operation, place)}</Box>
      {change.description === undefined ? null : <Sentence text={change.description} />}
      {newDocument === undefined ? (
        <Alert type="info">{text.hidden(requiredAction ?? "")}</Alert>
      ) : (
        <>
          <LineDiff before={change.oldDocument ?? ""} after={newDocument} label={text.diff} />
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="primary" onClick={() => setIsAsking(true)}>
              {text.apply}
            </Button>
            <Copy text={newDocument} label={text.copy} />
          </SpaceBetween>
        </>
      )}
      {applying.error instanceof DocumentChanged ? (
        <div role="alert">
          <Alert
            type="warning"
            header={text.changed}
            action={
              <Button
                onClick={() => {
                  applying.reset();
                  onPropose();
                }}
              >
                {text.proposeAgain}
              </Button>
            }
          >
            {text.changedText(place)}
          </Alert>
        </div>
      ) : null}
      {isAsking ? (
        <Dialog
          title={text.confirm}
          submit={text.apply}
          onSubmit={() => applying.mutate()}
          onClose={() => setIsAsking(false)}
          isRunning={applying.isPending}
        >
          <Box>{text.confirmText(place)}</Box>
        </Dialog>
      ) : null}
    </SpaceBetween>
  );
}
