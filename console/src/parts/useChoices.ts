import { useQuery, type QueryFunction, type QueryKey } from "@tanstack/react-query";

interface Choices<T, K extends QueryKey> {
  queryKey: K;
  queryFn?: QueryFunction<T, K>;
}

/**
 * The things that a form lets a person choose from.
 *
 * They are read anew whenever the form opens: a person who has just made something with the command line expects to
 * find it. What was read before is shown until then.
 */
export function useChoices<T, K extends QueryKey>(query: Choices<T, K>) {
  return useQuery<T, Error, T, K>({ ...query, staleTime: 0 });
}
