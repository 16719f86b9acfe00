/** A change that a person asked for: one call or several, its failure, and what has to be read anew afterwards. */

import { useMutation, useQueryClient, type QueryKey } from "@tanstack/react-query";
import { useFlash } from "./flash";

interface Options<Input, Output> {
  /** Queries whose answers are stale after the change. */
  stale: QueryKey[];
  /** What to say when it is done. */
  said?: (input: Input) => string;
  then?: (output: Output, input: Input) => void;
  /** Whether a failure is said above the page: for buttons that have no form around them. */
  isLoud?: boolean;
}

export interface Action<Input> {
  run: (input: Input) => void;
  isRunning: boolean;
  error: unknown;
  reset: () => void;
}

export function useAction<Input, Output>(
  call: (input: Input) => Promise<Output>,
  { stale, said, then, isLoud = false }: Options<Input, Output>,
): Action<Input> {
  const queries = useQueryClient();
  const flash = useFlash();
  const mutation = useMutation({
    mutationFn: call,
    // Also after a failure: of several calls, the first may have been made.
    onSettled: () => Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey }))),
    onSuccess: (output, input) => {
      if (said !== undefined) flash.success(said(input));
      then?.(output, input);
    },
    onError: (error) => {
      if (isLoud) flash.failure(error);
    },
  });
  return { run: mutation.mutate, isRunning: mutation.isPending, error: mutation.error ?? undefined, reset: mutation.reset };
}
