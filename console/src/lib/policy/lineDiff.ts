/** The difference of two documents by lines. Documents in one line are laid out first. */

import { laidOut } from "./document";

export interface Line {
  kind: "same" | "added" | "removed";
  line: string;
}

/** Above so many lines together, everything is shown as changed: the comparison's cost grows with their product. */
const LINES_MAX = 2_000;

const linesOf = (text: string): string[] => (text === "" ? [] : (text.includes("\n") ? text : laidOut(text)).split("\n"));

export function lineDiff(before: string, after: string): Line[] {
  const isOneLine = !before.includes("\n") || !after.includes("\n");
  const [a, b] = isOneLine ? [linesOf(laidOut(before)), linesOf(laidOut(after))] : [linesOf(before), linesOf(after)];
  if (a.length + b.length > LINES_MAX) {
    return [...a.map((line): Line => ({ kind: "removed", line })), ...b.map((line): Line => ({ kind: "added", line }))];
  }
  // lengths[i][j]: the longest common part of a from i and b from j.
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const length = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i];
    if (row === undefined) continue;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? length(i + 1, j + 1) + 1 : Math.max(length(i + 1, j), length(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [old, now] = [a[i], b[j]];
    if (old !== undefined && old === now) {
      lines.push({ kind: "same", line: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (now === undefined || length(i + 1, j) >= length(i, j + 1))) {
      lines.push({ kind: "removed", line: old });
      i += 1;
    } else if (now !== undefined) {
      lines.push({ kind: "added", line: now });
      j += 1;
    }
  }
  return lines;
}
