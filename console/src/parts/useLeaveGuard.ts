import { useEffect } from "react";
import { useBlocker, type Blocker } from "react-router";

/** Asks before the page is left while `isActive`: the browser by its own question, other pages of the console by the blocker. */
export function useLeaveGuard(isActive: boolean): Blocker {
  useEffect(() => {
    if (!isActive) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isActive]);
  return useBlocker(isActive);
}
