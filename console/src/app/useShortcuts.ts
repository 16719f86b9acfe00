import { useEffect, useState } from "react";
import { usePreferences } from "./preferences";

const TYPED_INTO = "input, textarea, select, [contenteditable=true]";

/** The list of shortcuts: `?` opens it, except where it is typed into something. */
export function useShortcuts(): { isOpen: boolean; open: () => void; close: () => void } {
  const { hasSingleKeys } = usePreferences();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    if (!hasSingleKeys) return undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.closest(TYPED_INTO) !== null) return;
      event.preventDefault();
      setIsOpen(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [hasSingleKeys]);
  return { isOpen, open: () => setIsOpen(true), close: () => setIsOpen(false) };
}
