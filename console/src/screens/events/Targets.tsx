import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listEventTargets, type EventTarget, type TestAnswer } from "../../api/events";
import { perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { FAILED, TARGETS } from "./keys";
import { TargetDialog } from "./TargetDialog";

const text = strings.events;

function State({ target }: { target: EventTarget }) {
  const isOn = target.state === "ENABLED";
  const type = !isOn ? "stopped" : target.failures > 0 ? "warning" : "success";
  return (
    <SpaceBetween size="xxs">
      <StatusIndicator type={type}>{text.states[target.state]}</StatusIndicator>
      {target.stateReason === undefined ? null : <Box color="text-body-secondary">{target.stateReason}</Box>}
    </SpaceBetween>
  );
}

/** The targets, each with a button that sends a test event. */
export function Targets() {
  const query = useQuery({ queryKey: TARGETS, queryFn: listEventTargets });
  /** The target that is edited, or a new one. */
  const [open, setOpen] = useState<EventTarget | "new">();
  const [tested, setTested] = useState<TestAnswer>();
  const { ask, dialog } = useConfirm([TARGETS, FAILED]);
  const test = useAction(
    (targetName: string) =>
      perform({ service: "berth", operation: "TestEventTarget", input: { targetName } }) as Promise<TestAnswer>,
    { stale: [TARGETS], then: setTested, isLoud: true },
  );
  const remove = (targetName: string) =>
    ask({
      title: text.deleteTitle,
      text: text.deleteText(targetName),
      changes: [{ service: "berth", operation: "DeleteEventTarget", input: { targetName } }],
      said: text.deleted,
    });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      {tested === undefined ? null : (
        <Alert
          type={tested.delivered ? "success" : "error"}
          dismissible
          i18nStrings={{ dismissAriaLabel: strings.frame.close }}
          onDismiss={() => setTested(undefined)}
        >
          {tested.delivered
            ? text.delivered(tested.statusCode ?? 0, tested.durationMilliseconds)
            : text.notDelivered(tested.reason ?? "")}
        </Alert>
      )}
      <Table
        items={query.data ?? []}
        trackBy="targetName"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.targets }}
        header={
          <Header variant="h2" actions={<Button onClick={() => setOpen("new")}>{text.add}</Button>}>
            {text.targets}
          </Header>
        }
        columnDefinitions={[
          { id: "name", header: text.name, isRowHeader: true, cell: ({ targetName }) => targetName },
          { id: "url", header: text.url, cell: ({ url }) => url },
          { id: "pattern", header: text.pattern, cell: ({ eventPattern }) => <Box variant="code">{eventPattern}</Box> },
          { id: "state", header: text.state, cell: (target) => <State target={target} /> },
          { id: "waiting", header: text.waiting, cell: ({ waitingCount }) => waitingCount },
          { id: "failed", header: text.failedCount, cell: ({ failedCount }) => failedCount },
          {
            id: "actions",
            header: strings.iam.actions,
            cell: (target) => (
              <Actions
                target={target}
                isTesting={test.isRunning}
                onTest={() => test.run(target.targetName)}
                onEdit={() => setOpen(target)}
                onDelete={() => remove(target.targetName)}
              />
            ),
          },
        ]}
        empty={text.empty}
      />
      {dialog}
      {open === undefined ? null : (
        <TargetDialog target={open === "new" ? undefined : open} onClose={() => setOpen(undefined)} />
      )}
    </>
  );
}

interface ActionsProps {
  target: EventTarget;
  isTesting: boolean;
  onTest: () => void;
  onEdit: () => void;
  onDelete: () => void;
}

function Actions({ target: { targetName }, isTesting, onTest, onEdit, onDelete }: ActionsProps) {
  return (
    <SpaceBetween direction="horizontal" size="s">
      <Button variant="inline-link" ariaLabel={text.testOne(targetName)} disabled={isTesting} onClick={onTest}>
        {text.test}
      </Button>
      <Button variant="inline-link" ariaLabel={text.editOne(targetName)} onClick={onEdit}>
        {strings.frame.edit}
      </Button>
      <Button variant="inline-link" ariaLabel={text.deleteOne(targetName)} onClick={onDelete}>
        {text.delete}
      </Button>
    </SpaceBetween>
  );
}
