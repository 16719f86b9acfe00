/** The tabs of a repository's page: one row each. */

import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { Repository } from "../../api/ecr";
import { strings } from "../../strings";

export interface TabProps {
  repository: Repository;
  name: string;
}

interface Tab {
  id: string;
  label: string;
  element: LazyExoticComponent<ComponentType<TabProps>>;
}

// prettier-ignore
export const TABS: Tab[] = [
  { id: "images", label: strings.repository.images.tab, element: lazy(() => import("./ImagesTab")) },
  { id: "push", label: strings.repository.push.tab, element: lazy(() => import("./PushTab")) },
  { id: "permissions", label: strings.repository.permissions.tab, element: lazy(() => import("./PermissionsTab")) },
  { id: "who-can", label: strings.whoCan.title, element: lazy(() => import("./WhoCanTab")) },
  { id: "activity", label: strings.activity.tab, element: lazy(() => import("./ActivityTab")) },
  { id: "lifecycle", label: strings.lifecycle.tab, element: lazy(() => import("./LifecycleTab")) },
  { id: "settings", label: strings.repository.settings.tab, element: lazy(() => import("./SettingsTab")) },
];
