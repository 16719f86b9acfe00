import { describe, expect, it } from "vitest";
import { DocumentChanged, isSameText, replaceUnchanged } from "./replace";

const allow = (...actions: string[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] });

/** A place that holds a document, and what was written to it. */
function place(document: string | undefined) {
  const written: string[] = [];
  return {
    written,
    read: () => Promise.resolve(document),
    write: (next: string) => {
      written.push(next);
      return Promise.resolve();
    },
  };
}

describe("replacing a document", () => {
  it("writes where the document is the expected one, in whatever form", async () => {
    const store = place(allow("a:B", "a:C"));
    await replaceUnchanged(store, JSON.stringify(JSON.parse(allow("a:C", "a:B")), undefined, 4), "new");
    expect(store.written).toEqual(["new"]);
  });

  it("writes nothing where somebody changed the document, and says what is there", async () => {
    const store = place(allow("a:D"));
    const failure = await replaceUnchanged(store, allow("a:B"), "new").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DocumentChanged);
    expect((failure as DocumentChanged).current).toBe(allow("a:D"));
    expect(store.written).toEqual([]);
  });

  it("writes nothing where a new document has appeared, or the old one has gone", async () => {
    for (const [now, expected] of [[allow("a:B"), undefined], [undefined, allow("a:B")]] as const) {
      const store = place(now);
      await expect(replaceUnchanged(store, expected, "new")).rejects.toBeInstanceOf(DocumentChanged);
      expect(store.written).toEqual([]);
    }
    const empty = place(undefined);
    await replaceUnchanged(empty, "", "new");
    expect(empty.written).toEqual(["new"]);
  });

  it("writes nothing where the document may not be read", async () => {
    const store = { ...place("{}"), read: () => Promise.reject(new Error("denied")) };
    await expect(replaceUnchanged(store, "{}", "new")).rejects.toThrow("denied");
    expect(store.written).toEqual([]);
  });

  it("compares texts that are no documents as texts", () => {
    expect(isSameText("{", "{")).toBe(true);
    expect(isSameText("{", "[")).toBe(false);
    expect(isSameText("", undefined)).toBe(true);
    expect(isSameText("{}", undefined)).toBe(false);
  });
});
