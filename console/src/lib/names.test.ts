import { describe, expect, it } from "vitest";
import {
  accountIdProblem,
  aliasProblem,
  descriptionProblem,
  mfaCodeProblem,
  nameProblem,
  pathProblem,
  sessionSecondsProblem,
  tagKeyProblem,
  tagsProblem,
  tagValueProblem,
} from "./names";

describe("names", () => {
  it("accepts the characters of IAM and no others", () => {
    expect(nameProblem("user", "alice_+=,.@-B9")).toBeUndefined();
    for (const name of ["a b", "a/b", "ü", "<b>", "a:b", "a\n"]) {
      expect(nameProblem("user", name)).toEqual({ kind: "characters" });
    }
    expect(nameProblem("samlProvider", "a+b")).toEqual({ kind: "characters" });
    expect(nameProblem("role", "")).toEqual({ kind: "missing" });
  });

  it("knows the length of each kind", () => {
    expect(nameProblem("user", "a".repeat(64))).toBeUndefined();
    expect(nameProblem("user", "a".repeat(65))).toEqual({ kind: "tooLong", max: 64 });
    expect(nameProblem("role", "a".repeat(65))).toEqual({ kind: "tooLong", max: 64 });
    expect(nameProblem("policy", "a".repeat(128))).toBeUndefined();
    expect(nameProblem("group", "a".repeat(129))).toEqual({ kind: "tooLong", max: 128 });
  });

  it("asks a path for its slashes", () => {
    expect(pathProblem("")).toBeUndefined();
    expect(pathProblem("/")).toBeUndefined();
    expect(pathProblem("/division/team-1/")).toBeUndefined();
    expect(pathProblem("/division")).toEqual({ kind: "pathSlashes" });
    expect(pathProblem("division/")).toEqual({ kind: "pathSlashes" });
    expect(pathProblem("/a b/")).toEqual({ kind: "characters" });
    expect(pathProblem(`/${"a".repeat(511)}/`)).toEqual({ kind: "tooLong", max: 512 });
  });

  it("takes Latin-1 in descriptions", () => {
    expect(descriptionProblem("for the pipeline: größer\nsecond line")).toBeUndefined();
    expect(descriptionProblem("日本")).toEqual({ kind: "characters" });
    expect(descriptionProblem("a".repeat(1001))).toEqual({ kind: "tooLong", max: 1000 });
  });

  it("refuses reserved, repeated and too many tags", () => {
    expect(tagKeyProblem("team/ü 1")).toBeUndefined();
    expect(tagKeyProblem("AWS:x")).toEqual({ kind: "reserved" });
    expect(tagKeyProblem("a&b")).toEqual({ kind: "characters" });
    expect(tagValueProblem("")).toBeUndefined();
    expect(tagValueProblem("a".repeat(257))).toEqual({ kind: "tooLong", max: 256 });
    const tag = (key: string) => ({ key, value: "" });
    expect(tagsProblem([tag("Team"), tag("team")])).toEqual({ kind: "duplicate" });
    const many = Array.from({ length: 51 }, (_, i) => tag(`k${String(i)}`));
    expect(tagsProblem(many)).toEqual({ kind: "tooMany", max: 50 });
    expect(tagsProblem(many.slice(1))).toBeUndefined();
  });

  it("refuses an alias that is an account id or has two hyphens", () => {
    expect(aliasProblem("my-company")).toBeUndefined();
    expect(aliasProblem("123456789012")).toEqual({ kind: "digitsOnly" });
    for (const alias of ["a--b", "-ab", "ab-", "Abc", "a.b"]) {
      expect(aliasProblem(alias)).toEqual({ kind: "characters" });
    }
    expect(aliasProblem("ab")).toEqual({ kind: "tooShort", min: 3 });
    expect(aliasProblem("a".repeat(64))).toEqual({ kind: "tooLong", max: 63 });
  });

  it("bounds session durations, account ids and codes", () => {
    expect(sessionSecondsProblem(3600)).toBeUndefined();
    expect(sessionSecondsProblem(3599)).toEqual({ kind: "tooShort", min: 3600 });
    expect(sessionSecondsProblem(43_201)).toEqual({ kind: "tooLong", max: 43_200 });
    expect(sessionSecondsProblem(Number.NaN)).toEqual({ kind: "characters" });
    expect(accountIdProblem("12345678901")).toEqual({ kind: "characters" });
    expect(accountIdProblem("123456789012")).toBeUndefined();
    expect(mfaCodeProblem("12345a")).toEqual({ kind: "characters" });
    expect(mfaCodeProblem("012345")).toBeUndefined();
  });
});
