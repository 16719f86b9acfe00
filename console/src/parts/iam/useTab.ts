import { useSearchParams } from "react-router";

/** The open tab, kept in the address. */
export function useTab(tabs: readonly string[]): [string, (tab: string) => void] {
  const [params, setParams] = useSearchParams();
  const wanted = params.get("tab");
  const tab = tabs.find((known) => known === wanted) ?? tabs[0] ?? "";
  return [tab, (next) => setParams({ tab: next })];
}
