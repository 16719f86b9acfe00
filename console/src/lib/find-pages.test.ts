import { expect, test } from "vitest";
import { SEARCH_PAGES_MAX, findInPages } from "./find-pages";

const TOTAL = 100_000;
const SIZE = 1000;
let reads = 0;

/** A list of the numbers below `TOTAL`. */
function read(token: string | undefined) {
  reads += 1;
  const start = Number(token ?? 0);
  const items = Array.from({ length: SIZE }, (_, index) => start + index);
  const nextToken = start + SIZE < TOTAL ? String(start + SIZE) : undefined;
  return Promise.resolve({ items, nextToken });
}

test("stops when enough was found and goes on from there", async () => {
  const first = await findInPages(read, (item) => item % 100 === 0, undefined, 15);
  expect(first.items).toHaveLength(20);
  expect(first).toMatchObject({ nextToken: "2000", searched: 2000 });
  const second = await findInPages(read, (item) => item % 100 === 0, first.nextToken, 1);
  expect(second.items[0]).toBe(2000);
});

test("answers after a bounded number of pages, without the items that do not match", async () => {
  reads = 0;
  const found = await findInPages(read, (item) => item === TOTAL - 1, undefined, 1);
  expect(reads).toBe(SEARCH_PAGES_MAX);
  expect(found).toEqual({ items: [], nextToken: String(SEARCH_PAGES_MAX * SIZE), searched: SEARCH_PAGES_MAX * SIZE });
});

test("finds each item exactly once", async () => {
  const all: number[] = [];
  let token: string | undefined;
  do {
    const found = await findInPages(read, (item) => item % 777 === 0, token, 5);
    all.push(...found.items);
    token = found.nextToken;
  } while (token !== undefined);
  expect(all).toEqual(Array.from({ length: Math.ceil(TOTAL / 777) }, (_, index) => index * 777));
});
