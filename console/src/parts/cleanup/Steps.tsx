import Box from "@cloudscape-design/components/box";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import type { Step } from "../../lib/cleanup/plan";
import type { Progress, StepState } from "../../lib/cleanup/run";
import { strings } from "../../strings";

const TYPES: Record<StepState, StatusIndicatorProps.Type> = {
  waiting: "pending",
  running: "in-progress",
  done: "success",
  gone: "success",
  failed: "error",
};

/** The steps of a clean-up with the state of each. */
export function Steps({ steps, progress }: { steps: readonly Step[]; progress: Progress }) {
  const text = strings.cleanUp;
  return (
    <div>
      <Box variant="p">{text.steps}</Box>
      <div aria-live="polite">
        <ol aria-label={text.stepsLabel}>
          {steps.map((step, at) => {
            const state = progress.states[at] ?? "waiting";
            return (
              <li key={`${step.action} ${step.target}`}>
                {text.step(step.action)} <Box variant="code">{step.target}</Box>{" "}
                <StatusIndicator type={TYPES[state]}>{text.state(state)}</StatusIndicator>
                {step.widens === true ? <StatusIndicator type="warning">{text.widens}</StatusIndicator> : null}
              </li>
            );
          })}
        </ol>
      </div>
    </div>
  );
}
