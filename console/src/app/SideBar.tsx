import SideNavigation, { type SideNavigationProps } from "@cloudscape-design/components/side-navigation";
import { useHref, useLocation, useNavigate } from "react-router";
import { strings } from "../strings";
import { SCREENS, SECTIONS } from "./screens";

/** The side navigation: the screens that are built, by section. */
export function SideBar() {
  const prefix = useHref("/").replace(/\/$/, "");
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const sections = SECTIONS.map(({ section, text }): SideNavigationProps.SectionGroup => ({
    type: "section-group",
    title: text,
    items: SCREENS.flatMap(({ path, entry }) =>
      entry?.section === section ? [{ type: "link" as const, text: entry.text, href: `${prefix}${path}` }] : [],
    ),
  })).filter((group) => group.items.length > 0);
  const first = pathname.split("/")[1] ?? "";
  return (
    <SideNavigation
      activeHref={`${prefix}/${first}`}
      items={[{ type: "link", text: strings.frame.navigation.home, href: `${prefix}/` }, ...sections]}
      onFollow={(event) => {
        if (event.detail.external) return;
        event.preventDefault();
        void navigate(event.detail.href.slice(prefix.length));
      }}
    />
  );
}
