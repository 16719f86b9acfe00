import { describe, expect, it } from "vitest";
import { earlierOf, nextPage, previousPage, search, type PageState } from "./marker-pages";

describe("pages by marker", () => {
  it("goes forth and back", () => {
    const first: PageState = { marker: undefined, earlier: [] };
    const second = nextPage(first, "m2");
    const third = nextPage(second, "m3");
    expect(third).toEqual({ marker: "m3", earlier: ["", "m2"] });
    expect(previousPage(third)).toEqual(second);
    expect(previousPage(second)).toEqual(first);
  });

  it("goes to the first page where the way is not known", () => {
    expect(previousPage({ marker: "m9", earlier: earlierOf(null) })).toEqual({ marker: undefined, earlier: [] });
    expect(earlierOf({ earlier: ["", 1, "m2"] })).toEqual(["", "m2"]);
    expect(earlierOf({ earlier: "x" })).toEqual([]);
  });

  it("looks through a bounded number of pages", async () => {
    const pages = [["a1", "b"], ["a2"], ["a3"]];
    const load = (marker: string | undefined) => {
      const at = Number(marker ?? "0");
      const isLast = at === pages.length - 1;
      return Promise.resolve({ items: pages[at] ?? [], marker: isLast ? undefined : String(at + 1) });
    };
    const isA = (item: string) => item.startsWith("a");
    expect(await search(load, isA, 5, 10)).toEqual({ items: ["a1", "a2", "a3"], isPartial: false });
    expect(await search(load, isA, 2, 10)).toEqual({ items: ["a1", "a2"], isPartial: true });
    expect(await search(load, isA, 5, 2)).toEqual({ items: ["a1", "a2"], isPartial: true });
  });
});
