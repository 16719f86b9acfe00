/** Looks through pages of a list for matching items, without holding the others. */

export interface Page<T> {
  items: T[];
  nextToken: string | undefined;
}

export interface Found<T> extends Page<T> {
  /** How many items were looked at. */
  searched: number;
}

/** Items that one search looks at before it answers what it has; the next one goes on from there. */
export const SEARCH_ITEMS_MAX = 10_000;
/** Pages grow up to the API's largest (ECR API Reference, DescribeRepositories): a rare match needs few calls. */
const FIRST_SIZE = 100;
const SIZE_MAX = 1000;
/** Pages may be short, and even empty. */
const READS_MAX = 50;

/**
 * Reads pages from `token` on until `wanted` items match. Whole pages are answered, so that no match is left out; where
 * a page has more matches than a person wants to see, it is read again in smaller pages.
 */
export async function findInPages<T>(
  read: (token: string | undefined, size: number) => Promise<Page<T>>,
  matches: (item: T) => boolean,
  token: string | undefined,
  wanted: number,
): Promise<Found<T>> {
  const most = Math.max(2 * wanted, FIRST_SIZE);
  const items: T[] = [];
  let searched = 0;
  let nextToken = token;
  let size = FIRST_SIZE;
  let grows = true;
  for (let reads = 0; reads < READS_MAX && searched < SEARCH_ITEMS_MAX; reads += 1) {
    const page = await read(nextToken, Math.min(size, SEARCH_ITEMS_MAX - searched));
    const found = page.items.filter(matches);
    if (grows && items.length + found.length > most) {
      grows = false;
      size = wanted;
      continue;
    }
    searched += page.items.length;
    items.push(...found);
    nextToken = page.nextToken;
    if (nextToken === undefined || items.length >= wanted) break;
    if (grows) size = Math.min(4 * size, SIZE_MAX);
  }
  return { items, nextToken, searched };
}
