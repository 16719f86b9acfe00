/** Parts of a screen's state that stand in the address. */

import { useCallback } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";

/** A parameter of the address; changing it replaces the address, or adds to the history with `push`. */
export function useUrlState(name: string, initial = ""): [string, (value: string, push?: boolean) => void] {
  const [parameters, setParameters] = useSearchParams();
  const value = parameters.get(name) ?? initial;
  const set = useCallback(
    (next: string, push = false) => {
      setParameters(
        (known) => {
          const changed = new URLSearchParams(known);
          if (next === initial) changed.delete(name);
          else changed.set(name, next);
          return changed;
        },
        { replace: !push },
      );
    },
    [name, initial, setParameters],
  );
  return [value, set];
}

export interface Paging {
  token: string | undefined;
  /** Whether an earlier page was seen on the way here. */
  hasPrevious: boolean;
  next: (token: string) => void;
  previous: () => void;
  /** Changes a parameter of the list; what it changes starts at the first page. */
  filter: (name: string, value: string) => void;
}

/** The page of a list that the server pages by tokens. */
export function usePaging(): Paging {
  const [parameters, setParameters] = useSearchParams();
  const navigate = useNavigate();
  const state: unknown = useLocation().state;
  const depth = typeof state === "object" && state !== null && "depth" in state ? Number(state.depth) : 0;
  const token = parameters.get("page") ?? undefined;
  const to = (next: string | undefined, depthThen: number, replace: boolean) =>
    setParameters(
      (known) => {
        const changed = new URLSearchParams(known);
        if (next === undefined) changed.delete("page");
        else changed.set("page", next);
        return changed;
      },
      { replace, state: { depth: depthThen } },
    );
  return {
    token,
    hasPrevious: token !== undefined,
    next: (next) => to(next, depth + 1, false),
    // A link may have led here: then there is no earlier page to go back to.
    previous: () => (depth > 0 ? void navigate(-1) : to(undefined, 0, false)),
    filter: (name, value) =>
      setParameters(
        (known) => {
          const changed = new URLSearchParams(known);
          changed.delete("page");
          if (value === "") changed.delete(name);
          else changed.set(name, value);
          return changed;
        },
        { replace: true },
      ),
  };
}
