// Runs the steps of a plan one after another and reports each.

import type { Step } from "./plan";

export type StepState = "waiting" | "running" | "done" | "gone" | "failed";

export interface Progress {
  readonly states: readonly StepState[];
  /** What the failed step answered. */
  readonly failure?: unknown;
}

export type Call = (step: Step) => Promise<void>;

/** Whether the answer says that the thing does not exist: somebody else has removed it, and the step is done. */
export type IsGone = (error: unknown) => boolean;

export function waiting(steps: readonly Step[]): Progress {
  return { states: steps.map(() => "waiting") };
}

/**
 * Runs all steps that are not done. Stops at the first failure: a later step needs the earlier ones. To
 * continue, call it again with the progress that it returned.
 */
export async function run(
  steps: readonly Step[],
  call: Call,
  isGone: IsGone,
  report: (progress: Progress) => void,
  from: Progress = waiting(steps),
): Promise<Progress> {
  const states = steps.map((_, at): StepState => from.states[at] ?? "waiting");
  const say = (at: number, state: StepState, failure?: unknown): Progress => {
    states[at] = state;
    const progress = failure === undefined ? { states: [...states] } : { states: [...states], failure };
    report(progress);
    return progress;
  };
  let last: Progress = { states: [...states] };
  for (const [at, step] of steps.entries()) {
    if (isOver(states[at])) continue;
    say(at, "running");
    try {
      await call(step);
      last = say(at, "done");
    } catch (error) {
      if (!isGone(error)) return say(at, "failed", error ?? new Error("unknown failure"));
      last = say(at, "gone");
    }
  }
  return last;
}

function isOver(state: StepState | undefined): boolean {
  return state === "done" || state === "gone";
}

/** The steps that are left after a failure, the failed one first. */
export function left(steps: readonly Step[], progress: Progress): Step[] {
  return steps.filter((_, at) => !isOver(progress.states[at]));
}

export function isComplete(progress: Progress): boolean {
  return progress.states.length > 0 && progress.states.every(isOver);
}
