import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useHref, useNavigate } from "react-router";
import { useSession } from "../api/current";
import { strings } from "../strings";
import { Search } from "./Search";
import { useAccountMenu } from "./accountMenu";
import { changePreferences, usePreferences, type DensityName, type Theme } from "./preferences";
import { RoleBar } from "./roles/RoleBar";

const { top } = strings.frame;

/** Product, region, account and settings. */
export function TopBar() {
  const session = useSession();
  const home = useHref("/");
  const navigate = useNavigate();
  const account = useAccountMenu();
  const settings = useSettingsMenu();
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
    </>
  );
}

function useSettingsMenu(): TopNavigationProps.MenuDropdownUtility {
  const preferences = usePreferences();
  const name = (text: string, isCurrent: boolean) => (isCurrent ? top.current(text) : text);
  const themes: Theme[] = ["system", "light", "dark"];
  const densities: DensityName[] = ["comfortable", "compact"];
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
    ],
    onItemClick: ({ detail: { id } }) => {
      const theme = themes.find((known) => known === id);
      const density = densities.find((known) => known === id);
      changePreferences({ ...(theme && { theme }), ...(density && { density }) });
    },
  };
}
