/** How the person wants the console to look. The browser keeps it; it is no secret. */

import { Density, Mode, applyDensity, applyMode } from "@cloudscape-design/global-styles";
import { useSyncExternalStore } from "react";
import type { TimeZone } from "../lib/format";

export type Theme = "system" | "light" | "dark";
export type DensityName = "comfortable" | "compact";

export interface Preferences {
  theme: Theme;
  density: DensityName;
  timeZone: TimeZone;
  /** Whether keys without Ctrl or ⌘ do something; dictation may press them by mistake (WCAG 2.2, 2.1.4). */
  hasSingleKeys: boolean;
}

const KEY = "berth.console.preferences";
const DEFAULTS: Preferences = { theme: "system", density: "comfortable", timeZone: "local", hasSingleKeys: true };
const listeners = new Set<() => void>();
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
let current = stored();

function stored(): Preferences {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const { theme, density, timeZone, hasSingleKeys } = value as Partial<Preferences>;
    return {
      theme: theme === "light" || theme === "dark" ? theme : DEFAULTS.theme,
      density: density === "compact" ? density : DEFAULTS.density,
      timeZone: timeZone === "utc" ? timeZone : DEFAULTS.timeZone,
      hasSingleKeys: hasSingleKeys !== false,
    };
  } catch {
    // Storage is off, or holds something else: the defaults do.
    return DEFAULTS;
  }
}

/** Whether the page is dark now. */
export function isDark(preferences: Preferences): boolean {
  return preferences.theme === "dark" || (preferences.theme === "system" && prefersDark.matches);
}

/** Applies the preferences to the page, and follows the system's theme from now on. */
export function applyPreferences(): void {
  applyMode(isDark(current) ? Mode.Dark : Mode.Light);
  applyDensity(current.density === "compact" ? Density.Compact : Density.Comfortable);
}

prefersDark.addEventListener("change", () => {
  applyPreferences();
  listeners.forEach((listener) => listener());
});

/** Changes preferences and remembers them. */
export function changePreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Storage is off: the change lasts until the page is left.
  }
  applyPreferences();
  listeners.forEach((listener) => listener());
}

/** The preferences, kept up to date. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
