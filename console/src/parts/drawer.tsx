/** The drawer beside the page. Parts of the page own its content one at a time. */

import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";

export interface DrawerContent {
  /** The part of the page that the content belongs to. */
  owner: string;
  title: string;
  content: ReactNode;
}

interface Drawer {
  content: DrawerContent | undefined;
  isOpen: boolean;
  setOpen: (isOpen: boolean) => void;
  /** Shows an owner's content, and opens the drawer. */
  show: (content: DrawerContent) => void;
  /** Gives the content of an owner anew; it is taken where the drawer shows that owner's, or nobody's. */
  offer: (content: DrawerContent) => void;
  /** Ends an owner's content. */
  release: (owner: string) => void;
}

const DrawerContext = createContext<Drawer | undefined>(undefined);

export function DrawerProvider({ children }: { children: ReactNode }) {
  const [content, setContent] = useState<DrawerContent>();
  const [isOpen, setOpen] = useState(false);
  const show = useCallback((next: DrawerContent) => {
    setContent(next);
    setOpen(true);
  }, []);
  const offer = useCallback(
    (next: DrawerContent) => setContent((now) => (now === undefined || now.owner === next.owner ? next : now)),
    [],
  );
  const release = useCallback((owner: string) => setContent((now) => (now?.owner === owner ? undefined : now)), []);
  const isShown = isOpen && content !== undefined;
  const drawer = useMemo(
    () => ({ content, isOpen: isShown, setOpen, show, offer, release }),
    [content, isShown, show, offer, release],
  );
  return <DrawerContext value={drawer}>{children}</DrawerContext>;
}

export function useDrawer(): Drawer {
  const drawer = useContext(DrawerContext);
  if (drawer === undefined) throw new Error("outside of DrawerProvider");
  return drawer;
}
