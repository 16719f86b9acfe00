// Pages of a list whose address holds the page's marker: the markers of the pages before it travel in the
// history entry, so that "previous" works without asking the server, and a link to a page works without them.

export interface PageState {
  readonly marker: string | undefined;
  /** Markers of the earlier pages, the first page as an empty text; unknown where a link was opened. */
  readonly earlier: readonly string[];
}

export function earlierOf(state: unknown): readonly string[] {
  if (typeof state !== "object" || state === null || !("earlier" in state)) return [];
  const list: unknown = state.earlier;
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}

export function nextPage(now: PageState, marker: string): PageState {
  return { marker, earlier: [...now.earlier, now.marker ?? ""] };
}

/** The page before; the first one where the way back is not known. */
export function previousPage(now: PageState): PageState {
  const last = now.earlier.at(-1);
  return { marker: last === "" ? undefined : last, earlier: now.earlier.slice(0, -1) };
}

/** A bounded look through all pages for rows that match. */
export async function search<Item>(
  load: (marker: string | undefined) => Promise<{ items: Item[]; marker?: string | undefined }>,
  matches: (item: Item) => boolean,
  pagesMax: number,
  foundMax: number,
): Promise<{ items: Item[]; isPartial: boolean }> {
  const items: Item[] = [];
  let marker: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await load(marker);
    items.push(...answer.items.filter(matches));
    marker = answer.marker;
    if (items.length > foundMax) return { items: items.slice(0, foundMax), isPartial: true };
    if (marker === undefined) return { items, isPartial: false };
  }
  return { items, isPartial: true };
}
