import { expect, test } from "vitest";
import { EMPTY_TARGET, putTarget, targetForm, targetProblems } from "./event-target";

const FORM = { ...EMPTY_TARGET, name: "ci", url: "https://hooks.example.com/x" };
const STORED = { targetName: "ci", url: FORM.url, eventPattern: "{}", state: "DISABLED" };

test("names what is wrong", () => {
  expect(targetProblems(FORM).size).toBe(0);
  expect([...targetProblems({ ...FORM, name: "a b", url: "ftp://x", pattern: "{" })]).toEqual(["name", "url", "pattern"]);
});

test("a new target leaves out what is the default", () => {
  expect(putTarget(FORM, true).input).toEqual({ targetName: "ci", url: FORM.url });
});

test("a stored target is sent whole: an empty pattern removes what was there, a stopped one stays so", () => {
  const form = targetForm(STORED);
  expect(form).toEqual({ ...FORM, isOn: false });
  expect(putTarget(form, false).input).toEqual({ targetName: "ci", url: FORM.url, eventPattern: "{}", state: "DISABLED" });
  expect(putTarget({ ...form, isOn: true, rotates: true }, false).input).toEqual({
    targetName: "ci",
    url: FORM.url,
    eventPattern: "{}",
    rotateSecret: true,
  });
});
