/** Where the change of a proposal is made, by the operation that it names. */

interface Proposed {
  operation: string;
  holderName?: string;
  policyName?: string;
  policyArn?: string;
  resourceArn?: string;
}

export type ProposedPlace =
  | { kind: "inline"; holder: { kind: "user" | "group" | "role"; name: string }; policyName: string }
  | { kind: "managed"; arn: string }
  | { kind: "trust"; roleName: string }
  | { kind: "repository"; name: string };

const HOLDERS: Readonly<Record<string, "user" | "group" | "role">> = {
  "iam:PutUserPolicy": "user",
  "iam:PutGroupPolicy": "group",
  "iam:PutRolePolicy": "role",
};

/** The place of a proposed document; `undefined` for an operation that is not known. */
export function proposedPlace(change: Proposed): ProposedPlace | undefined {
  const { operation, holderName = "", policyName = "", policyArn = "", resourceArn = "" } = change;
  const holder = HOLDERS[operation];
  if (holder !== undefined) return { kind: "inline", holder: { kind: holder, name: holderName }, policyName };
  if (operation === "iam:UpdateAssumeRolePolicy") return { kind: "trust", roleName: holderName };
  if (operation === "iam:CreatePolicyVersion") return { kind: "managed", arn: policyArn };
  if (operation !== "ecr:SetRepositoryPolicy") return undefined;
  return { kind: "repository", name: resourceArn.slice(resourceArn.indexOf(":repository/") + ":repository/".length) };
}
