import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useQuery, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import { isGone } from "../../api/iam/gone";
import { runStep } from "../../api/iam/steps";
import { changeOf, type Plan } from "../../lib/cleanup/plan";
import { isComplete, left, run, waiting, type Progress } from "../../lib/cleanup/run";
import { strings } from "../../strings";
import { CommandSection } from "../AsCommand";
import { Failure } from "../Failure";
import { useFlash } from "../flash";
import { Steps } from "./Steps";

interface Props {
  /** The name that has to be typed. */
  name: string;
  /** Finds what depends on it. */
  plan: () => Promise<Plan>;
  /** Queries whose answers are stale afterwards. */
  stale: QueryKey[];
  onClose: () => void;
  /** It is gone. */
  onDone: () => void;
}

/** Deletes a thing and what depends on it, after its name was typed; says what is left when a step fails. */
export function CleanUp({ name, plan, stale, onClose, onDone }: Props) {
  const text = strings.cleanUp;
  const flash = useFlash();
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const [progress, setProgress] = useState<Progress>();
  const [isRunning, setIsRunning] = useState(false);
  const found = useQuery({ queryKey: ["clean-up", name], queryFn: plan, gcTime: 0, staleTime: Infinity, retry: false });
  const steps = found.data?.steps ?? [];
  const isStopped = progress?.failure !== undefined;

  const start = async () => {
    setIsRunning(true);
    const end = await run(steps, runStep, isGone, setProgress, progress ?? waiting(steps));
    setIsRunning(false);
    await Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey })));
    if (!isComplete(end)) return;
    flash.success(text.done(name));
    onDone();
  };
  const mayStart = steps.length > 0 && typed === name && !isRunning;

  return (
    <Modal
      visible
      size="large"
      header={text.title(name)}
      closeAriaLabel={text.close}
      onDismiss={() => {
        if (!isRunning) onClose();
      }}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" disabled={isRunning} onClick={onClose}>
              {isStopped ? text.close : text.cancel}
            </Button>
            <Button variant="primary" disabled={!mayStart} loading={isRunning} onClick={() => void start()}>
              {isStopped ? text.again : text.run}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {found.isPending ? (
          <Box>
            <Spinner /> {text.looking}
          </Box>
        ) : null}
        {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
        {found.data?.notes.map((note) => (
          <Alert key={note.kind} type="warning">
            {text.note(note)}
          </Alert>
        ))}
        {steps.length === 0 ? null : <Steps steps={steps} progress={progress ?? waiting(steps)} />}
        {steps.length === 0 ? null : <CommandSection changes={steps.map(changeOf)} />}
        {isStopped ? (
          <>
            <Failure error={progress.failure} />
            <Alert type="warning">{text.left(left(steps, progress).length)}</Alert>
          </>
        ) : null}
        {found.data === undefined || isRunning ? null : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (mayStart) void start();
            }}
          >
            <FormField label={text.confirm(name)}>
              <Input
                value={typed}
                onChange={(event) => setTyped(event.detail.value)}
                autoComplete={false}
                spellcheck={false}
                placeholder={name}
              />
            </FormField>
          </form>
        )}
      </SpaceBetween>
    </Modal>
  );
}
