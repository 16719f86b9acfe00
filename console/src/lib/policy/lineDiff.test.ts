import { describe, expect, it } from "vitest";
import { lineDiff } from "./lineDiff";

const signs = (before: string, after: string) =>
  lineDiff(before, after).map(({ kind, line }) => `${{ same: " ", added: "+", removed: "-" }[kind]}${line}`);

describe("lineDiff", () => {
  it("marks lines that came and went", () => {
    expect(signs("a\nb\nc", "a\nx\nc")).toEqual([" a", "-b", "+x", " c"]);
    expect(signs("", "a\nb")).toEqual(["+a", "+b"]);
    expect(signs("a\nb", "a\nb")).toEqual([" a", " b"]);
  });

  it("lays documents in one line out first", () => {
    expect(signs('{"a":1}', '{"a":1,"b":2}')).toEqual([" {", '-  "a": 1', '+  "a": 1,', '+  "b": 2', " }"]);
  });
});
