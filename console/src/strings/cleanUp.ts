import type { Note } from "../lib/cleanup/plan";
import type { StepState } from "../lib/cleanup/run";

const NAMES: Record<string, string> = {
  "iam:DeleteLoginProfile": "Delete the password of",
  "iam:DeleteAccessKey": "Delete access key",
  "iam:DeleteSigningCertificate": "Delete signing certificate",
  "iam:DeleteSSHPublicKey": "Delete SSH key",
  "iam:DeleteServiceSpecificCredential": "Delete service credential",
  "iam:DeactivateMFADevice": "Deactivate MFA device",
  "iam:DeleteVirtualMFADevice": "Delete MFA device",
  "iam:DeleteUserPolicy": "Delete inline policy",
  "iam:DeleteGroupPolicy": "Delete inline policy",
  "iam:DeleteRolePolicy": "Delete inline policy",
  "iam:DetachUserPolicy": "Detach policy",
  "iam:DetachGroupPolicy": "Detach policy",
  "iam:DetachRolePolicy": "Detach policy",
  "iam:RemoveUserFromGroup": "Remove membership",
  "iam:DeleteUserPermissionsBoundary": "Remove the boundary of user",
  "iam:DeleteRolePermissionsBoundary": "Remove the boundary of role",
  "iam:RemoveRoleFromInstanceProfile": "Remove the role from instance profile",
  "iam:DeleteInstanceProfile": "Delete instance profile",
  "iam:DeletePolicyVersion": "Delete version",
  "iam:DeletePolicy": "Delete policy",
  "iam:DeleteUser": "Delete user",
  "iam:DeleteGroup": "Delete group",
  "iam:DeleteRole": "Delete role",
  "iam:DeleteServiceLinkedRole": "Ask the service to delete role",
  "iam:DeleteOpenIDConnectProvider": "Delete identity provider",
  "iam:DeleteSAMLProvider": "Delete identity provider",
  "berth:RevokeHost": "Revoke host",
};

const STATES: Record<StepState, string> = {
  waiting: "Waiting",
  running: "Running",
  done: "Done",
  gone: "Was gone already",
  failed: "Failed",
};

export const cleanUp = {
  title: (name: string) => `Delete ${name}`,
  looking: "Looking for what depends on it",
  steps: "These steps run in this order. Each one is a call that is authorized like any other.",
  stepsLabel: "Steps",
  step: (action: string) => NAMES[action] ?? action,
  state: (state: StepState) => STATES[state],
  widens: "This gives more permissions than before.",
  confirm: (name: string) => `To confirm, enter ${name}`,
  run: "Delete",
  again: "Try the rest again",
  close: "Close",
  cancel: "Cancel",
  left: (count: number) => `${count} ${count === 1 ? "step is" : "steps are"} left. What was done stays done.`,
  done: (name: string) => `${name} is deleted.`,
  note: (note: Note): string => {
    switch (note.kind) {
      case "rolesTrustProvider":
        return `Roles that trust this provider stay, and nobody can assume them through it: ${note.names.join(", ")}`;
      case "hostsUseProfile":
        return `Hosts that lose the role's credentials: ${note.names.join(", ")}`;
      case "moreNotListed":
        return "There are more roles than were looked at, so others may trust this provider.";
    }
  },
};
