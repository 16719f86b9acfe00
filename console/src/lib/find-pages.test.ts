import { beforeEach, expect, test } from "vitest";
import { SEARCH_ITEMS_MAX, findInPages } from "./find-pages";

const TOTAL = 100_000;
let reads: number[] = [];

beforeEach(() => {
  reads = [];
});

/** A list of the numbers below `TOTAL`. */
function read(token: string | undefined, size: number) {
  reads.push(size);
  const start = Number(token ?? 0);
  const items = Array.from({ length: Math.min(size, TOTAL - start) }, (_, index) => start + index);
  const nextToken = start + size < TOTAL ? String(start + size) : undefined;
  return Promise.resolve({ items, nextToken });
}

test("stops when enough was found and goes on from there", async () => {
  const first = await findInPages(read, (item) => item % 100 === 0, undefined, 15);
  expect(first.items).toHaveLength(15);
  expect(first).toMatchObject({ nextToken: "1500", searched: 1500 });
  const second = await findInPages(read, (item) => item % 100 === 0, first.nextToken, 1);
  expect(second.items[0]).toBe(1500);
});

test("answers after a bounded number of items, without those that do not match", async () => {
  const found = await findInPages(read, (item) => item === TOTAL - 1, undefined, 1);
  expect(found).toEqual({ items: [], nextToken: String(SEARCH_ITEMS_MAX), searched: SEARCH_ITEMS_MAX });
  expect(reads.length).toBeLessThanOrEqual(13);
});

test("reads few items where all match, and answers no more than twice of what is wanted", async () => {
  const found = await findInPages(read, () => true, undefined, 50);
  expect(found.items).toHaveLength(100);
  expect(reads).toEqual([100]);
});

test("reads a page with too many matches again in smaller pages", async () => {
  const found = await findInPages(read, (item) => item >= 600, undefined, 50);
  expect(found.items).toHaveLength(50);
  expect(found).toMatchObject({ nextToken: "650", searched: 650 });
  expect(reads).toEqual([100, 400, 1000, 50, 50, 50]);
});

test("ends where a list goes on without items", async () => {
  let empty = 0;
  const found = await findInPages(
    () => Promise.resolve({ items: [], nextToken: String((empty += 1)) }),
    () => true,
    undefined,
    1,
  );
  expect(found).toMatchObject({ items: [], searched: 0, nextToken: String(empty) });
});

test.each([5, 50])("finds each item exactly once, %i wanted", async (wanted) => {
  const matches = (item: number) => item % 777 === 0 || (item > 40_000 && item < 42_000);
  const all: number[] = [];
  let token: string | undefined;
  do {
    const found = await findInPages(read, matches, token, wanted);
    expect(found.items.length).toBeLessThanOrEqual(100);
    all.push(...found.items);
    token = found.nextToken;
  } while (token !== undefined);
  expect(all).toEqual(Array.from({ length: TOTAL }, (_, index) => index).filter(matches));
});
