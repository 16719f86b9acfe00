import type { StatementChange } from "../lib/policy/changes";

export const policies = {
  title: "Policies",
  description: "Documents that say what is allowed, to attach to users, groups and roles.",
  what: "policies",
  create: "Create policy",
  name: "Policy name",
  kind: "Kind",
  scope: "Show",
  scopes: { All: "All policies", Local: "This account's", AWS: "AWS managed" },
  attachments: "Attachments",
  made: (name: string) => `The policy ${name} is created.`,
  tabs: { document: "Document", versions: "Versions", entities: "Attached to", tags: "Tags" },
  defaultVersion: "Default version",
  edit: "Edit",
  editTitle: "New version",
  saved: (name: string) => `${name} has a new default version. It holds from the next request on.`,
  full: "There are five versions, the most that IAM keeps. Delete one first.",
  versions: {
    title: "Versions",
    version: "Version",
    isDefault: "Default",
    select: (id: string) => `Show ${id}`,
    setDefault: "Make default",
    setDefaultOf: (id: string) => `Make default: ${id}`,
    deleteOf: (id: string) => `Delete ${id}`,
    deleteHint: "The version cannot be brought back.",
    changed: (id: string) => `${id} is the default version now.`,
    deleted: (id: string) => `Version ${id} is deleted.`,
    compare: (from: string, to: string) => `What ${to} changes against ${from}`,
    same: "The two versions say the same.",
  },
  change: (change: StatementChange): string => {
    const on = change.resource === undefined ? "" : ` on ${change.resource}`;
    const what = `${change.action}${on}${change.principal === undefined ? "" : ` for ${change.principal}`}`;
    const none = (conditions: string) => (conditions === "" ? "none" : conditions);
    switch (change.kind) {
      case "effect":
        return `Changes the effect of ${what} from ${change.from} to ${change.to}`;
      case "conditions":
        return `Changes the conditions of ${change.effect} ${what} from ${none(change.from)} to ${none(change.to)}`;
      default: {
        const conditions = change.isConditional ? " under conditions" : "";
        return `${change.kind === "added" ? "Adds" : "Removes"}: ${change.effect} ${what}${conditions}`;
      }
    }
  },
  tooMany: (max: number) => `There are more than ${max} changes. The lines below show all of them.`,
  diff: "The changes as lines that were added and removed",
  entities: {
    title: "Attached to",
    none: "Nothing uses this policy.",
    name: "Name",
    kind: "Kind",
    use: "Use",
    user: "User",
    group: "Group",
    role: "Role",
    permissions: "Permissions",
    boundary: "Boundary",
  },
};
