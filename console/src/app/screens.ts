/** The screens: one row each. */

import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import { matchPath } from "react-router";
import { strings } from "../strings";

/** Sections of the side navigation, in their order. */
export type Section = "registry" | "access" | "insight" | "account";

export interface Screen {
  /** Below `/console/`; `:name` is a parameter, `*` the rest. */
  path: string;
  element: LazyExoticComponent<ComponentType>;
  load: () => Promise<unknown>;
  /** Its entry in the side navigation. */
  entry?: { section: Section; text: string };
  /** What the search calls a page without an entry, such as "Create repository". */
  action?: string;
}

const screen = (
  path: string,
  load: () => Promise<{ default: ComponentType }>,
  named?: NonNullable<Screen["entry"]> | { action: string },
): Screen => ({
  path,
  element: lazy(load),
  load,
  ...(named === undefined ? {} : "action" in named ? named : { entry: named }),
});

// prettier-ignore
export const SCREENS: Screen[] = [
  screen("/", () => import("../screens/home")),
  screen("/repositories", () => import("../screens/repositories"), { section: "registry", text: strings.repositories.title }),
  screen("/repositories/*", () => import("../screens/repository")),
  screen("/create-repository", () => import("../screens/repository-create"), { action: strings.repositories.create }),
];

export const SECTIONS: { section: Section; text: string }[] = [
  { section: "registry", text: strings.frame.navigation.registry },
  { section: "access", text: strings.frame.navigation.access },
  { section: "insight", text: strings.frame.navigation.insight },
  { section: "account", text: strings.frame.navigation.account },
];

/** Loads the screen of an address, so that it is there when the session is. A failure shows when it is rendered. */
export function preload(path: string): void {
  SCREENS.find((each) => matchPath(each.path, path) !== null)
    ?.load()
    .catch(() => undefined);
}
