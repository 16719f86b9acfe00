import { describe, expect, it } from "vitest";
import { parseRoles, textOn, withRole, type RecentRole } from "./recent-roles";

const role = (name: string): RecentRole => ({ account: "123456789012", role: name, displayName: name, color: "aa0000" });

describe("recent roles", () => {
  it("puts the last role first, once, and keeps five", () => {
    const names = ["a", "b", "c", "d", "e", "a", "f"];
    const roles = names.reduce<RecentRole[]>((known, name) => withRole(known, role(name)), []);
    expect(roles.map((known) => known.role)).toEqual(["f", "a", "e", "d", "c"]);
  });

  it("reads what it stored and leaves out the rest", () => {
    expect(parseRoles(JSON.stringify([role("a")]))).toEqual([role("a")]);
    expect(parseRoles(null)).toEqual([]);
    expect(parseRoles("{")).toEqual([]);
    expect(parseRoles('{"role":"a"}')).toEqual([]);
    const broken = [{ ...role("a"), color: "red;x" }, { ...role("a"), role: "" }, null, 1, { account: 1 }];
    expect(parseRoles(JSON.stringify(broken))).toEqual([]);
  });

  it("chooses the text that is read better", () => {
    expect(textOn("ffffff")).toBe("#000000");
    expect(textOn("f2b0a9")).toBe("#000000");
    expect(textOn("000000")).toBe("#ffffff");
    expect(textOn("aa0000")).toBe("#ffffff");
    expect(textOn("nonsense")).toBe("#ffffff");
  });
});
