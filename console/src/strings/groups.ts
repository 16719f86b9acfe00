export const groups = {
  title: "Groups",
  description: "Users with the same permissions.",
  what: "groups",
  create: "Create group",
  name: "Group name",
  made: (name: string) => `The group ${name} is created.`,
  tabs: { users: "Users", permissions: "Permissions", lastAccessed: "Last accessed" },
  users: {
    title: "Users of the group",
    user: "User",
    none: "The group has no users.",
    add: "Add users",
    name: "User name",
    added: (name: string) => `${name} is in the group.`,
    remove: (name: string) => `Remove ${name} from the group`,
    removed: (name: string) => `${name} is no longer in the group.`,
  },
};
