/** The form of a target of events, and the call that it makes. */

import type { Change } from "./commands/change";
import { parse } from "./trust/document";

export interface TargetForm {
  name: string;
  url: string;
  /** As in EventBridge; empty for all events but those of pulls. */
  pattern: string;
  isOn: boolean;
  /** Whether the server makes another secret for a target that has one. */
  rotates: boolean;
}

export const EMPTY_TARGET: TargetForm = { name: "", url: "", pattern: "", isOn: true, rotates: false };

/** What stands for no pattern of its own. */
const EVERY = "{}";

interface Stored {
  targetName: string;
  url: string;
  eventPattern: string;
  state: string;
}

export const targetForm = ({ targetName, url, eventPattern, state }: Stored): TargetForm => ({
  name: targetName,
  url,
  pattern: eventPattern === EVERY ? "" : eventPattern,
  isOn: state === "ENABLED",
  rotates: false,
});

export function targetProblems({ name, url, pattern }: TargetForm): ReadonlySet<keyof TargetForm> {
  const wrong: [keyof TargetForm, boolean][] = [
    ["name", !/^[A-Za-z0-9_.-]{1,64}$/.test(name.trim())],
    ["url", !/^https?:\/\/[^\s/@]+/.test(url.trim())],
    ["pattern", pattern.trim() !== "" && parse(pattern) === undefined],
  ];
  return new Set(wrong.flatMap(([member, isWrong]) => (isWrong ? [member] : [])));
}

/** The call that makes the target what the form says. What a call leaves out stays, so that a stored target's pattern is sent. */
export function putTarget({ name, url, pattern, isOn, rotates }: TargetForm, isNew: boolean): Change {
  const text = pattern.trim();
  return {
    service: "berth",
    operation: "PutEventTarget",
    input: {
      targetName: name.trim(),
      url: url.trim(),
      ...(isNew && text === "" ? {} : { eventPattern: text === "" ? EVERY : text }),
      ...(isOn ? {} : { state: "DISABLED" }),
      ...(rotates && !isNew ? { rotateSecret: true } : {}),
    },
  };
}
