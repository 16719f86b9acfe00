// What AWS's console does for "Revoke active sessions": an inline policy that denies everything to
// sessions that began earlier (IAM User Guide, "Revoke IAM role temporary security credentials").

export const REVOCATION_POLICY_NAME = "AWSRevokeOlderSessions";

/** The document that revokes the sessions issued before `time`. */
export function revocationPolicy(time: Date): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Deny",
        Action: ["*"],
        Resource: ["*"],
        Condition: { DateLessThan: { "aws:TokenIssueTime": time.toISOString() } },
      },
    ],
  });
}

/** The time of the last revocation, read from the stored document; `undefined` when it is not of this form. */
export function revocationTime(document: string): Date | undefined {
  const match = /"aws:TokenIssueTime"\s*:\s*\[?\s*"([^"]+)"/i.exec(document);
  const text = match?.[1];
  if (text === undefined) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
