import type { TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useState, type ReactNode } from "react";
import { dropSession, setSession, useSession } from "../api/current";
import { endSession, switchBack } from "../api/session";
import type { RecentRole } from "../lib/recent-roles";
import { strings } from "../strings";
import { SwitchRole } from "./roles/SwitchRole";
import { recentRoles } from "./roles/stored";

interface AccountMenu {
  utility: TopNavigationProps.MenuDropdownUtility;
  /** The dialog that the menu opened. */
  dialog: ReactNode;
}

/** Who is signed in, the roles to switch to, and the way out. */
export function useAccountMenu(): AccountMenu {
  const session = useSession();
  const [wanted, setWanted] = useState<{ role?: RecentRole }>();
  const { top } = strings.frame;
  const text = strings.switchRole;
  const recent = recentRoles();
  const { switched } = session;
  // Root may assume no role.
  const canSwitch = session.kind !== "root";
  const roles = recent.map((role, index) => ({ id: `role-${index}`, text: role.displayName, description: role.account }));
  const utility: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    iconName: "user-profile",
    text: session.name,
    description: session.arn,
    items: [
      { id: "account", text: top.account(session.accountAlias ?? session.account), disabled: true },
      ...(switched === undefined ? [] : [{ id: "back", text: text.back(switched.from.split("/").pop() ?? switched.from) }]),
      ...(canSwitch ? [{ id: "switch", text: text.open }] : []),
      ...(canSwitch && roles.length > 0 ? [{ id: "recent", text: text.recent, items: roles }] : []),
      { id: "sign-out", text: top.signOut },
    ],
    onItemClick: ({ detail: { id } }) => {
      if (id === "sign-out") {
        // The page forgets its credentials even when the server cannot be told.
        void endSession().finally(() => dropSession("none"));
      } else if (id === "back") {
        void switchBack().then(setSession, () => dropSession("ended"));
      } else if (id === "switch") {
        setWanted({});
      } else if (id.startsWith("role-")) {
        const role = recent[Number(id.slice("role-".length))];
        setWanted(role === undefined ? {} : { role });
      }
    },
  };
  const dialog = wanted === undefined ? null : <SwitchRole {...wanted} onDismiss={() => setWanted(undefined)} />;
  return { utility, dialog };
}
