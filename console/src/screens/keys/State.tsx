import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { stateType } from "../../lib/keys";
import { strings } from "../../strings";

/** A key's state, in its colour. */
export function State({ state }: { state: string }) {
  return <StatusIndicator type={stateType(state)}>{strings.keys.states[state] ?? state}</StatusIndicator>;
}
