import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { apply, type ProposedChange } from "../../api/denials";
import { lineDiff } from "../../lib/policy/lineDiff";
import { Copy } from "../../parts/Copy";
import { useFlash } from "../../parts/flash";
import { strings } from "../../strings";

interface Props {
  changes: readonly ProposedChange[];
  onApplied: () => void;
}

/** The changed documents, each as a difference with a button that makes the change. */
export function Changes({ changes, onApplied }: Props) {
  return (
    <SpaceBetween size="l">
      {changes.map((change, index) => (
        <Change key={`${change.operation}-${index}`} change={change} onApplied={onApplied} />
      ))}
    </SpaceBetween>
  );
}

const placeOf = ({ holderName, policyName, policyArn, resourceArn }: ProposedChange): string =>
  [holderName, policyName ?? policyArn ?? resourceArn].filter((part) => part !== undefined).join(" / ");

function Change({ change, onApplied }: { change: ProposedChange; onApplied: () => void }) {
  const text = strings.denials;
  const flash = useFlash();
  const [isAsking, setIsAsking] = useState(false);
  const place = placeOf(change);
  const applying = useMutation({
    mutationFn: () => apply(change),
    onSuccess: () => {
      flash.success(text.applied(place));
      onApplied();
    },
    onError: (error) => flash.failure(error),
    onSettled: () => setIsAsking(false),
  });
  const { newDocument, requiredAction } = change;
  return (
    <SpaceBetween size="s">
      <Box variant="h3">{text.changeOf(change.operation, place)}</Box>
      {change.description === undefined ? null : <Box>{change.description}</Box>}
      {newDocument === undefined ? (
        <Alert type="info">{text.hidden(requiredAction ?? "")}</Alert>
      ) : (
        <>
          <Difference before={change.oldDocument ?? ""} after={newDocument} />
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="primary" onClick={() => setIsAsking(true)}>
              {text.apply}
            </Button>
            <Copy text={newDocument} label={text.copy} />
          </SpaceBetween>
        </>
      )}
      <Modal
        visible={isAsking}
        header={text.confirm}
        onDismiss={() => setIsAsking(false)}
        footer={
          <Box float="right">
            <SpaceBetween size="xs" direction="horizontal">
              <Button variant="link" onClick={() => setIsAsking(false)}>
                {text.cancel}
              </Button>
              <Button variant="primary" loading={applying.isPending} onClick={() => applying.mutate()}>
                {text.apply}
              </Button>
            </SpaceBetween>
          </Box>
        }
      >
        {text.confirmText(place)}
      </Modal>
    </SpaceBetween>
  );
}

const SIGNS = { added: "+", removed: "-", same: " " } as const;

/** Lines with a sign before each, so that colour is not needed to read them. */
function Difference({ before, after }: { before: string; after: string }) {
  return (
    <pre
      tabIndex={0}
      role="region"
      aria-label={strings.denials.diff}
      style={{ margin: 0, overflow: "auto", maxBlockSize: "28rem" }}
    >
      {lineDiff(before, after).map(({ kind, line }, index) => (
        <div key={index} style={kind === "same" ? undefined : { fontWeight: 700 }}>
          {SIGNS[kind]} {line}
        </div>
      ))}
    </pre>
  );
}
