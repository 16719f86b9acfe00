/** The roles that were switched to, the last one first. They hold no secret: the trust policy decides each time. */

export interface RecentRole {
  account: string;
  role: string;
  displayName: string;
  /** Six hexadecimal digits. */
  color: string;
}

const ROLES_MAX = 5;
const COLOR = /^[0-9a-f]{6}$/;

const isSame = (one: RecentRole, other: RecentRole): boolean => one.account === other.account && one.role === other.role;

/** The list after a switch. */
export function withRole(roles: RecentRole[], role: RecentRole): RecentRole[] {
  return [role, ...roles.filter((known) => !isSame(known, role))].slice(0, ROLES_MAX);
}

/** A stored list. What is not one, or not whole, is left out. */
export function parseRoles(stored: string | null): RecentRole[] {
  let value: unknown;
  try {
    value = JSON.parse(stored ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value.filter(isRole).slice(0, ROLES_MAX);
}

function isRole(value: unknown): value is RecentRole {
  if (typeof value !== "object" || value === null) return false;
  const { account, role, displayName, color } = value as Record<string, unknown>;
  return (
    [account, role, displayName].every((text) => typeof text === "string" && text !== "" && text.length <= 512) &&
    typeof color === "string" &&
    COLOR.test(color)
  );
}

/** Whether black or white is read better on a color (WCAG 2.2, relative luminance). */
export function textOn(color: string): "#000000" | "#ffffff" {
  if (!COLOR.test(color)) return "#ffffff";
  const channel = (at: number): number => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4);
  // The contrast with black is the greater one from here on.
  return luminance > 0.179 ? "#000000" : "#ffffff";
}
