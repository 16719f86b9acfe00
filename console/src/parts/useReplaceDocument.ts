/** Saves an edited document, unless somebody else changed it since the edit began. */

import type { QueryKey } from "@tanstack/react-query";
import { useState } from "react";
import { replaceDocument, type Place } from "../api/documents";
import { DocumentChanged } from "../lib/policy/replace";
import { useAction } from "./useAction";

interface Options {
  /** The document that the edit began with; `undefined` for a new one. */
  base: string | undefined;
  /** Queries whose answers are stale after the change. */
  stale: QueryKey[];
  said: () => string;
  then: () => void;
}

export interface Conflict {
  /** What the edit began with. */
  base: string;
  /** What is there now. */
  current: string;
  /** Takes the current document as the edit's beginning: the next save replaces it. */
  accept: () => void;
}

export function useReplaceDocument(options: Options) {
  const [expected, setExpected] = useState(options.base);
  const action = useAction(
    ({ place, document }: { place: Place; document: string }) => replaceDocument(place, expected, document),
    options,
  );
  const { error, reset } = action;
  const conflict: Conflict | undefined =
    error instanceof DocumentChanged
      ? {
          base: expected ?? "",
          current: error.current ?? "",
          accept: () => {
            setExpected(error.current);
            reset();
          },
        }
      : undefined;
  return {
    save: (place: Place, document: string) => action.run({ place, document }),
    isRunning: action.isRunning,
    /** A failure other than a conflict. */
    error: conflict === undefined ? error : undefined,
    conflict,
  };
}
