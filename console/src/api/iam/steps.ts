/** Makes the calls of a clean-up's steps. */

import { changeOf, type Step } from "../../lib/cleanup/plan";
import { perform } from "../perform";

export async function runStep(step: Step): Promise<void> {
  await perform(changeOf(step));
}
