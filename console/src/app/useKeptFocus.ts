import { useEffect } from "react";

/** How long the browser and a closing dialog may take to give the focus to something else. */
const WAIT_MS = 100;

/**
 * Gives the focus to the heading when what had it is gone or disabled, such as a button whose work is done. Otherwise the
 * keyboard's next step begins at the page's top, and a screen reader says nothing. A click on an empty place takes the
 * focus away as well; that one is left alone.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let isByKeyboard = false;
    let timer: number | undefined;
    const onKey = () => {
      isByKeyboard = true;
    };
    const onPointer = () => {
      isByKeyboard = false;
    };
    const keep = () => {
      timer = undefined;
      if (!isByKeyboard || document.activeElement !== document.body) return;
      const dialogs = document.querySelectorAll<HTMLElement>("[role=dialog] h2");
      const heading = dialogs[dialogs.length - 1] ?? document.querySelector<HTMLElement>("h1");
      if (heading === null) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    };
    const observer = new MutationObserver(() => {
      if (isByKeyboard && timer === undefined) timer = window.setTimeout(keep, WAIT_MS);
    });
    window.addEventListener("keydown", onKey, true);
    window.addEventListener("pointerdown", onPointer, true);
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
    return () => {
      window.clearTimeout(timer);
      observer.disconnect();
      window.removeEventListener("keydown", onKey, true);
      window.removeEventListener("pointerdown", onPointer, true);
    };
  }, []);
}
