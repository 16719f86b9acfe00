/** Messages above the page about what was just done. A screen reader announces them. */

import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { describeFailure } from "../lib/failure";
import { strings } from "../strings";

export interface Flash {
  success: (text: string) => void;
  failure: (error: unknown) => void;
}

const FlashContext = createContext<Flash | undefined>(undefined);
const ItemsContext = createContext<FlashbarProps.MessageDefinition[]>([]);
/** Older messages go. */
const MESSAGES_MAX = 5;

let lastId = 0;

export function FlashProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<FlashbarProps.MessageDefinition[]>([]);
  const add = useCallback((item: FlashbarProps.MessageDefinition) => {
    lastId += 1;
    const id = `flash-${lastId}`;
    const onDismiss = () => setItems((known) => known.filter((other) => other.id !== id));
    const message = { ...item, id, dismissible: true, dismissLabel: strings.frame.dismiss, onDismiss };
    setItems((known) => [message, ...known].slice(0, MESSAGES_MAX));
  }, []);
  const flash = useMemo<Flash>(
    () => ({
      success: (text) => add({ type: "success", content: text, ariaRole: "status" }),
      failure: (error) => {
        const { code, message, requestId } = describeFailure(error);
        const id = requestId === undefined ? "" : ` (${strings.frame.failure.requestId}: ${requestId})`;
        add({ type: "error", header: code, content: `${message}${id}`, ariaRole: "alert" });
      },
    }),
    [add],
  );
  return (
    <FlashContext value={flash}>
      <ItemsContext value={items}>{children}</ItemsContext>
    </FlashContext>
  );
}

export function useFlash(): Flash {
  const flash = useContext(FlashContext);
  if (flash === undefined) throw new Error("outside of FlashProvider");
  return flash;
}

export const useFlashItems = (): FlashbarProps.MessageDefinition[] => useContext(ItemsContext);
