import AppLayout from "@cloudscape-design/components/app-layout";
import Flashbar from "@cloudscape-design/components/flashbar";
import { useState } from "react";
import { Outlet } from "react-router";
import { FlashProvider, useFlashItems } from "../parts/flash";
import { strings } from "../strings";
import { SideBar } from "./SideBar";
import { TopBar } from "./TopBar";

const TOP_BAR = "top-bar";

/** The top bar, the side navigation, the messages and the page. */
export function Frame() {
  return (
    <FlashProvider>
      <header id={TOP_BAR}>
        <TopBar />
      </header>
      <Layout />
    </FlashProvider>
  );
}

function Layout() {
  const items = useFlashItems();
  const isNarrow = window.matchMedia("(max-width: 688px)").matches;
  const [isOpen, setIsOpen] = useState(!isNarrow);
  const { regions } = strings.frame;
  return (
    <AppLayout
      headerSelector={`#${TOP_BAR}`}
      navigation={<SideBar />}
      navigationOpen={isOpen}
      onNavigationChange={(event) => setIsOpen(event.detail.open)}
      toolsHide
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
