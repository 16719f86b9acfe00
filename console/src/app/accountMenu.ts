import type { TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { dropSession, useSession } from "../api/current";
import { endSession } from "../api/session";
import { strings } from "../strings";

/** Who is signed in, and the way out. */
export function useAccountMenu(): TopNavigationProps.MenuDropdownUtility {
  const session = useSession();
  const { top } = strings.frame;
  return {
    type: "menu-dropdown",
    iconName: "user-profile",
    text: session.name,
    description: session.arn,
    items: [
      { id: "account", text: top.account(session.accountAlias ?? session.account), disabled: true },
      { id: "sign-out", text: top.signOut },
    ],
    onItemClick: ({ detail }) => {
      if (detail.id !== "sign-out") return;
      // The page forgets its credentials even when the server cannot be told.
      void endSession().finally(() => dropSession("none"));
    },
  };
}
