/** Calls whose answers a page can do without. */

import { describeFailure } from "../lib/failure";
import { sessionGeneration } from "./current";

/** What was refused, and to whom. */
let refused = { generation: -1, names: new Set<string>() };

/**
 * Makes a call, unless one of this name was refused before in this session; the answer is `without` then, and where
 * it is refused now.
 */
export async function askWhileAllowed<Answer>(name: string, without: Answer, call: () => Promise<Answer>): Promise<Answer> {
  const generation = sessionGeneration();
  // Somebody else may be allowed what was refused.
  if (refused.generation !== generation) refused = { generation, names: new Set() };
  if (refused.names.has(name)) return without;
  const { names } = refused;
  try {
    return await call();
  } catch (error) {
    if (!describeFailure(error).isDenial) throw error;
    names.add(name);
    return without;
  }
}
