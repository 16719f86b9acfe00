/** A document that is edited on a page which may read a newer one meanwhile. */

import { useState } from "react";
import { isSameText } from "../lib/policy/replace";

interface Edited {
  /** What the edit began with; it keys the editor, which begins anew with another one. */
  base: string;
  document: string;
  setDocument: (document: string) => void;
}

/** Follows what is saved while nothing was edited, or once the edit is what is saved. An edit is never thrown away. */
export function useEdited(saved: string): Edited {
  const [base, setBase] = useState(saved);
  const [document, setDocument] = useState(saved);
  if (saved !== base && (isSameText(document, base) || isSameText(document, saved))) {
    setBase(saved);
    setDocument(saved);
  }
  return { base, document, setDocument };
}
