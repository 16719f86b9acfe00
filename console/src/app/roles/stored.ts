/** The recent roles, as the browser keeps them. */

import { parseRoles, withRole, type RecentRole } from "../../lib/recent-roles";

const KEY = "berth.console.recent-roles";

export function recentRoles(): RecentRole[] {
  try {
    return parseRoles(localStorage.getItem(KEY));
  } catch {
    // Storage is off.
    return [];
  }
}

export function rememberRole(role: RecentRole): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(withRole(recentRoles(), role)));
  } catch {
    // Storage is off: the role is not remembered.
  }
}
