import { useChoices } from "../useChoices";
import { collect, from, markerOf } from "../../api/iam/collect";
import { listPolicies } from "../../api/iam/policies";

/** The managed policies that a form offers: this account's, then AWS's. */
export function useManagedPolicies() {
  return useChoices({ queryKey: ["iam", "policies", "offered"], queryFn: offered });
}

async function offered() {
  const [local, aws] = await Promise.all([ofScope("Local"), ofScope("AWS")]);
  return [...local, ...aws];
}

async function ofScope(Scope: "Local" | "AWS") {
  const found = await collect(async (marker) => {
    const answer = await listPolicies({ Scope, MaxItems: 1000, ...from(marker) });
    return { items: answer.Policies ?? [], marker: markerOf(answer) };
  });
  return found.items.map((policy) => ({ value: policy.Arn ?? "", label: policy.PolicyName ?? "", isAws: Scope === "AWS" }));
}
