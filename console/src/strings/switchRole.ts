/** Switching roles. */
export const switchRole = {
  title: "Switch role",
  open: "Switch role…",
  recent: "Recent roles",
  back: (name: string) => `Back to ${name}`,
  acting: (name: string) => `You are acting as ${name}`,
  hint: "You act as the role until you go back or sign out. The role's trust policy must allow you.",
  account: "Account id or alias",
  role: "Role name",
  roleHint: "With its path, where it has one.",
  displayName: "Display name (optional)",
  color: "Color",
  colors: ["Blue", "Green", "Brown", "Red", "Purple", "Grey"],
  submit: "Switch",
  failed: "The role was not switched",
};
