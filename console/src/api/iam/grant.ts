import { inlinePolicyOf, type PermissionsChoice } from "../../lib/permissions-choice";
import type { Registry } from "../../lib/policy/templates";
import { attach, putInline, type Holder } from "./holder";

/** Gives the chosen permissions to a user, group or role. */
export async function grant(holder: Holder, choice: PermissionsChoice, registry: Registry): Promise<void> {
  const document = inlinePolicyOf(choice, registry);
  if (document !== undefined) await putInline(holder, choice.policyName, document);
  if (choice.kind !== "managed") return;
  for (const arn of choice.arns) await attach(holder, arn);
}
