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
  screen("/templates", () => import("../screens/templates"), { section: "registry", text: strings.templates.title }),
  screen("/templates/create", () => import("../screens/templates/Create"), { action: strings.templates.create }),
  screen("/templates/:prefix", () => import("../screens/templates/Edit")),
  screen("/pull-through", () => import("../screens/pull-through"), { section: "registry", text: strings.pullThrough.title }),
  screen("/pull-through/create", () => import("../screens/pull-through/Create"), { action: strings.pullThrough.create }),
  screen("/pull-through/:prefix", () => import("../screens/pull-through/Rule")),
  screen("/replication", () => import("../screens/replication"), { section: "registry", text: strings.replication.title }),
  screen("/registry-settings", () => import("../screens/registry-settings"), { section: "registry", text: strings.registrySettings.title }),
  screen("/events", () => import("../screens/events"), { section: "registry", text: strings.events.title }),
  screen("/keys", () => import("../screens/keys"), { section: "registry", text: strings.keys.title }),
  screen("/keys/create", () => import("../screens/keys/Create"), { action: strings.keys.create }),
  screen("/keys/:id", () => import("../screens/keys/Key")),
  screen("/usage", () => import("../screens/usage"), { section: "registry", text: strings.usage.title }),
  screen("/users", () => import("../screens/users"), { section: "access", text: strings.users.title }),
  screen("/users/create", () => import("../screens/users/Create"), { action: strings.users.create }),
  screen("/users/:name", () => import("../screens/users/User")),
  screen("/groups", () => import("../screens/groups"), { section: "access", text: strings.groups.title }),
  screen("/groups/create", () => import("../screens/groups/Create"), { action: strings.groups.create }),
  screen("/groups/:name", () => import("../screens/groups/Group")),
  screen("/roles", () => import("../screens/roles"), { section: "access", text: strings.roles.title }),
  screen("/roles/create", () => import("../screens/roles/Create"), { action: strings.roles.create }),
  screen("/roles/:name", () => import("../screens/roles/Role")),
  screen("/policies", () => import("../screens/policies"), { section: "access", text: strings.policies.title }),
  screen("/policies/create", () => import("../screens/policies/Create"), { action: strings.policies.create }),
  screen("/policies/:arn", () => import("../screens/policies/Policy")),
  screen("/identity-providers", () => import("../screens/identity-providers"), { section: "access", text: strings.providers.title }),
  screen("/identity-providers/create", () => import("../screens/identity-providers/Create"), { action: strings.providers.create }),
  screen("/identity-providers/:arn", () => import("../screens/identity-providers/Provider")),
  screen("/hosts", () => import("../screens/hosts"), { section: "access", text: strings.hosts.title }),
  screen("/hosts/invite", () => import("../screens/hosts/Invite"), { action: strings.hosts.invite }),
  screen("/account", () => import("../screens/account-settings"), { section: "account", text: strings.accountSettings.title }),
  screen("/organization", () => import("../screens/organization"), { section: "account", text: strings.organization.title }),
  screen("/denials", () => import("../screens/denials"), { section: "insight", text: strings.denials.title }),
  screen("/denials/:requestId", () => import("../screens/denials/Denial")),
  screen("/simulator", () => import("../screens/simulator"), { section: "insight", text: strings.simulator.title }),
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
