/** Makes the calls of a clean-up's steps. */

import type { Step } from "../../lib/cleanup/plan";
import { perform } from "../perform";

/** The input of a step has the members of the operation that its action names: `lib/cleanup/plan` builds both together. */
export async function runStep(step: Step): Promise<void> {
  const [service = "", operation = ""] = step.action.split(":");
  await perform({ service, operation, input: step.input });
}
