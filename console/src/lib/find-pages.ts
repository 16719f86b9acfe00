/** Looks through pages of a list for matching items, without holding the others. */

export interface Page<T> {
  items: T[];
  nextToken: string | undefined;
}

export interface Found<T> extends Page<T> {
  /** How many items were looked at. */
  searched: number;
}

/** Pages that one search reads before it answers what it has; the next one goes on from there. */
export const SEARCH_PAGES_MAX = 10;

/** Reads pages from `token` on until `wanted` items match. Whole pages are answered, so that no match is left out. */
export async function findInPages<T>(
  read: (token: string | undefined) => Promise<Page<T>>,
  matches: (item: T) => boolean,
  token: string | undefined,
  wanted: number,
): Promise<Found<T>> {
  const items: T[] = [];
  let searched = 0;
  let nextToken = token;
  for (let pages = 0; pages < SEARCH_PAGES_MAX; pages += 1) {
    const page = await read(nextToken);
    searched += page.items.length;
    items.push(...page.items.filter(matches));
    nextToken = page.nextToken;
    if (nextToken === undefined || items.length >= wanted) break;
  }
  return { items, nextToken, searched };
}
