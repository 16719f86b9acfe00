/** Changes of a document that a finding asks for and that leave nothing to choose. */

import { rangeOf, removeAt, setVersion } from "./document";

/** A finding of Access Analyzer, as far as it is shown. */
export interface Finding {
  code: string;
  level: "ERROR" | "SECURITY_WARNING" | "WARNING" | "SUGGESTION";
  details: string;
  learnMore: string | undefined;
  path: (string | number)[];
  /** Characters from the start of the text. */
  from: number;
  to: number;
  line: number;
}

/** The text without what the finding is about, or `undefined` where somebody must choose. */
export function fixed(text: string, finding: Finding): string | undefined {
  const suggested = /Did you mean `([^`]+)`\?/.exec(finding.details)?.[1];
  const range = rangeOf(text, finding.path);
  if (suggested !== undefined && range !== undefined && text[range.from] === '"') {
    return text.slice(0, range.from) + JSON.stringify(suggested) + text.slice(range.to);
  }
  if (finding.code === "MISSING_VERSION" || finding.code === "INVALID_VERSION") {
    return setVersion(text);
  }
  const isEntry = typeof finding.path.at(-1) === "number";
  if (isEntry && finding.code.startsWith("REDUNDANT_")) {
    return removeAt(text, finding.path);
  }
  return undefined;
}
