import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getReadOnlyMode } from "../../api/registry";
import { perform } from "../../api/perform";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { READ_ONLY } from "./keys";

const text = strings.registrySettings.readOnly;

/** Whether the server refuses writes. */
export function ReadOnly() {
  const query = useQuery({ queryKey: READ_ONLY, queryFn: getReadOnlyMode });
  const [isOpen, setIsOpen] = useState(false);
  const mode = query.data;
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            mode === undefined ? null : (
              <Button onClick={() => setIsOpen(true)}>{mode.enabled ? text.end : text.begin}</Button>
            )
          }
        >
          {text.title}
        </Header>
      }
    >
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending ? <StatusIndicator type="loading">{strings.frame.loading}</StatusIndicator> : null}
      {mode === undefined ? null : (
        <StatusIndicator type={mode.enabled ? "warning" : "success"}>
          {mode.enabled ? text.on(mode.reason ?? "") : text.off}
        </StatusIndicator>
      )}
      {mode !== undefined && isOpen ? <Change isOn={mode.enabled} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

function Change({ isOn, onClose }: { isOn: boolean; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const more = isOn || reason.trim() === "" ? {} : { reason: reason.trim() };
  const change = { service: "berth", operation: "PutReadOnlyMode", input: { enabled: !isOn, ...more } };
  const title = isOn ? text.end : text.begin;
  const save = useAction(() => perform(change), {
    stale: [READ_ONLY],
    said: () => (isOn ? text.ended : text.begun),
    then: onClose,
  });
  return (
    <Dialog
      title={title}
      submit={title}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      error={save.error}
      changes={[change]}
    >
      {isOn ? <Box>{strings.iam.confirm}</Box> : <Box>{text.warning}</Box>}
      {isOn ? null : <Field label={text.reason} value={reason} onChange={setReason} isOptional />}
    </Dialog>
  );
}
