import { useEffect, useRef, useState } from "react";
import { NavigationType, useNavigationType } from "react-router";

/** The address follows when nobody typed for this long, so that a list is not asked for at each key. */
const SETTLE_MS = 300;

/**
 * The text of a field that stands in the address as `value`, and is written there by `write` a moment after the last key.
 *
 * A field must not show the address itself: the router changes it in a transition, and until that is drawn React puts
 * the old text back into the field. Whoever types fast would lose letters.
 */
export function useTyped(value: string, write: (typed: string) => void): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(value);
  const [seen, setSeen] = useState(value);
  const navigation = useNavigationType();
  if (value !== seen) {
    setSeen(value);
    // A link or the way back leads to another text. What `write` did replaced the address, and the field may be ahead.
    if (navigation !== NavigationType.Replace) setTyped(value);
  }
  // The newest, which knows what other fields wrote into the address meanwhile.
  const latest = useRef({ value, write });
  useEffect(() => {
    latest.current = { value, write };
  });
  useEffect(() => {
    const timer = setTimeout(() => {
      if (typed !== latest.current.value) latest.current.write(typed);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, setTyped];
}
