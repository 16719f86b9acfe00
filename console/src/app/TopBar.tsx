import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useHref, useNavigate } from "react-router";
import { useSession } from "../api/current";
import { strings } from "../strings";
import { Search } from "./Search";
import { useAccountMenu } from "./accountMenu";
import type { TimeZone } from "../lib/format";
import { changePreferences, usePreferences, type DensityName, type Theme } from "./preferences";
import { RoleBar } from "./roles/RoleBar";
import { Shortcuts } from "./Shortcuts";
import { useShortcuts } from "./useShortcuts";

const { top } = strings.frame;

/** Product, region, account and settings. */
export function TopBar() {
  const session = useSession();
  const home = useHref("/");
  const navigate = useNavigate();
  const account = useAccountMenu();
  const shortcuts = useShortcuts();
  const settings = useSettingsMenu(shortcuts.open);
  return (
    <>
      <TopNavigation
        identity={{
          href: home,
          title: strings.frame.product,
          onFollow: (event) => {
            event.preventDefault();
            void navigate("/");
          },
        }}
        search={<Search />}
        utilities={[
          {
            type: "menu-dropdown",
            text: session.region,
            ariaLabel: top.region(session.region),
            items: [{ id: "region", text: top.region(session.region), disabled: true }],
          },
          settings,
          account.utility,
        ]}
        i18nStrings={{
          searchIconAriaLabel: strings.frame.search.open,
          searchDismissIconAriaLabel: strings.frame.search.close,
          overflowMenuTriggerText: top.menuMore,
          overflowMenuTitleText: top.menu,
          overflowMenuBackIconAriaLabel: top.back,
          overflowMenuDismissIconAriaLabel: top.close,
        }}
      />
      <RoleBar />
      {account.dialog}
      {shortcuts.isOpen ? <Shortcuts onClose={shortcuts.close} /> : null}
    </>
  );
}

function useSettingsMenu(openShortcuts: () => void): TopNavigationProps.MenuDropdownUtility {
  const preferences = usePreferences();
  const name = (text: string, isCurrent: boolean) => (isCurrent ? top.current(text) : text);
  const themes: Theme[] = ["system", "light", "dark"];
  const densities: DensityName[] = ["comfortable", "compact"];
  const zones: TimeZone[] = ["local", "utc"];
  return {
    type: "menu-dropdown",
    iconName: "settings",
    title: top.settings,
    ariaLabel: top.settings,
    items: [
      {
        id: "theme",
        text: top.theme,
        items: themes.map((theme) => ({ id: theme, text: name(top.themes[theme], theme === preferences.theme) })),
      },
      {
        id: "density",
        text: top.density,
        items: densities.map((density) => ({
          id: density,
          text: name(top.densities[density], density === preferences.density),
        })),
      },
      {
        id: "zone",
        text: top.zone,
        items: zones.map((zone) => ({ id: zone, text: name(top.zones[zone], zone === preferences.timeZone) })),
      },
      {
        id: "keys",
        text: top.keys,
        items: [
          { id: "shortcuts", text: top.shortcuts },
          { id: "single-keys", text: preferences.hasSingleKeys ? top.singleKeysOff : top.singleKeysOn },
        ],
      },
    ],
    onItemClick: ({ detail: { id } }) => {
      if (id === "shortcuts") openShortcuts();
      if (id === "single-keys") changePreferences({ hasSingleKeys: !preferences.hasSingleKeys });
      const timeZone = zones.find((known) => known === id);
      const theme = themes.find((known) => known === id);
      const density = densities.find((known) => known === id);
      changePreferences({ ...(theme && { theme }), ...(density && { density }), ...(timeZone && { timeZone }) });
    },
  };
}
