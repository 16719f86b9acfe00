/** Lists that are short by IAM's quotas, as a whole. Long lists are shown page by page instead. */

export interface IamPage<Item> {
  items: Item[];
  marker?: string | undefined;
}

/** The most that is kept of a list; `isPartial` says that there is more. */
export const COLLECTED_MAX = 1000;

export interface Collected<Item> {
  items: Item[];
  isPartial: boolean;
}

export async function collect<Item>(load: (marker?: string) => Promise<IamPage<Item>>): Promise<Collected<Item>> {
  const items: Item[] = [];
  let marker: string | undefined;
  do {
    const page = await load(marker);
    items.push(...page.items);
    marker = page.marker;
  } while (marker !== undefined && items.length < COLLECTED_MAX);
  return { items: items.slice(0, COLLECTED_MAX), isPartial: marker !== undefined };
}

/** The next page's marker of an answer. */
export const markerOf = (answer: { IsTruncated?: boolean | undefined; Marker?: string | undefined }): string | undefined =>
  answer.IsTruncated === true ? answer.Marker : undefined;

/** The member for a marker, left out on the first page. */
export const from = (marker: string | undefined): { Marker?: string } => (marker === undefined ? {} : { Marker: marker });
