/** The drawer beside the page, whose content the page gives. */

import { createContext, useContext, useMemo, useState, type ReactNode } from "react";

export interface DrawerContent {
  title: string;
  content: ReactNode;
}

interface Drawer {
  content: DrawerContent | undefined;
  isOpen: boolean;
  setContent: (content: DrawerContent | undefined) => void;
  setOpen: (isOpen: boolean) => void;
}

const DrawerContext = createContext<Drawer | undefined>(undefined);

export function DrawerProvider({ children }: { children: ReactNode }) {
  const [content, setContent] = useState<DrawerContent>();
  const [isOpen, setOpen] = useState(false);
  const drawer = useMemo(() => ({ content, isOpen, setContent, setOpen }), [content, isOpen]);
  return <DrawerContext value={drawer}>{children}</DrawerContext>;
}

export function useDrawer(): Drawer {
  const drawer = useContext(DrawerContext);
  if (drawer === undefined) throw new Error("outside of DrawerProvider");
  return drawer;
}
