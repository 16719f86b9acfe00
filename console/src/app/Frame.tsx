import AppLayout, { type AppLayoutProps } from "@cloudscape-design/components/app-layout";
import Drawer from "@cloudscape-design/components/drawer";
import Flashbar from "@cloudscape-design/components/flashbar";
import { useEffect, useState } from "react";
import { Outlet } from "react-router";
import { DrawerProvider, useDrawer } from "../parts/drawer";
import { FlashProvider, useFlashItems } from "../parts/flash";
import { strings } from "../strings";
import { SideBar } from "./SideBar";
import { TopBar } from "./TopBar";
import { useKeptFocus } from "./useKeptFocus";

const TOP_BAR = "top-bar";
const DRAWER = "as-command";

/** Cloudscape's narrow layout begins here. */
const NARROW = window.matchMedia("(max-width: 688px)");

/** The narrow layout's bar is a `nav` with an orientation, which ARIA does not allow there. */
function removeOrientation(): void {
  document.querySelectorAll("nav[aria-orientation]").forEach((bar) => bar.removeAttribute("aria-orientation"));
}

/** The top bar, the side navigation, the messages and the page. */
export function Frame() {
  return (
    <FlashProvider>
      <header id={TOP_BAR}>
        <TopBar />
      </header>
      <DrawerProvider>
        <Layout />
      </DrawerProvider>
    </FlashProvider>
  );
}

function Layout() {
  const items = useFlashItems();
  const [isOpen, setIsOpen] = useState(() => !NARROW.matches);
  useEffect(removeOrientation);
  useKeptFocus();
  useEffect(() => {
    NARROW.addEventListener("change", removeOrientation);
    return () => NARROW.removeEventListener("change", removeOrientation);
  }, []);
  const { regions, asCommand } = strings.frame;
  const { content, isOpen: isDrawerOpen, setOpen: setDrawerOpen } = useDrawer();
  const drawers: AppLayoutProps.Drawer[] =
    content === undefined
      ? []
      : [
          {
            id: DRAWER,
            resizable: true,
            defaultSize: 480,
            trigger: { iconName: "script" },
            content: <Drawer header={<h2>{content.title}</h2>}>{content.content}</Drawer>,
            ariaLabels: {
              drawerName: content.title,
              closeButton: asCommand.close,
              resizeHandle: asCommand.resize,
              triggerButton: content.title,
            },
          },
        ];
  return (
    <AppLayout
      headerSelector={`#${TOP_BAR}`}
      navigation={<SideBar />}
      navigationOpen={isOpen}
      onNavigationChange={(event) => setIsOpen(event.detail.open)}
      toolsHide
      drawers={drawers}
      activeDrawerId={isDrawerOpen && content !== undefined ? DRAWER : null}
      onDrawerChange={(event) => setDrawerOpen(event.detail.activeDrawerId === DRAWER)}
      notifications={<Flashbar items={items} />}
      stickyNotifications
      content={<Outlet />}
      ariaLabels={{
        navigation: regions.navigation,
        navigationToggle: regions.navigationOpen,
        navigationClose: regions.navigationClose,
        notifications: regions.notifications,
      }}
    />
  );
}
