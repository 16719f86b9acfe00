import { describe, expect, it } from "vitest";
import { newRule, readRules, withCountType, writeRules, type RuleForm } from "./lifecycle";

const rule: RuleForm = {
  priority: 3,
  description: "keep releases",
  tagStatus: "tagged",
  isPrefixes: false,
  entries: ["v*", "release-*"],
  countType: "imageCountMoreThan",
  countNumber: 10,
  archives: false,
};

describe("a lifecycle policy in a form", () => {
  it("is the same document in both views", () => {
    const rules = [rule, { ...newRule([rule]), archives: true }, { ...rule, isPrefixes: true, priority: 7 }];
    expect(readRules(writeRules(rules))).toEqual(rules);
  });

  it("does not depend on the order of members", () => {
    const text = `{"rules":[{"action":{"type":"expire"},"selection":{"countNumber":2,"countType":"imageCountMoreThan","storageClass":"standard","tagStatus":"any"},"rulePriority":1}]}`;
    expect(readRules(text)).toEqual([
      { ...rule, priority: 1, description: "", tagStatus: "any", entries: [], countNumber: 2 },
    ]);
  });

  it("is empty without rules", () => {
    expect(readRules(" ")).toEqual([]);
    expect(writeRules([])).toBe("");
  });

  it("is not shown where the form would lose something", () => {
    const more = (change: string) => writeRules([rule]).replace('"countNumber": 10', change);
    expect(readRules(more('"countNumber": 10'))).toEqual([rule]);
    expect(readRules(more('"countNumber": 10, "other": 1'))).toBeUndefined();
    expect(readRules(more('"countNumber": "10"'))).toBeUndefined();
    expect(readRules(writeRules([rule]).replace('"expire"', '"keep"'))).toBeUndefined();
    expect(readRules("{")).toBeUndefined();
    expect(readRules('{"rules":[null]}')).toBeUndefined();
  });

  it("follows what a count type allows", () => {
    expect(withCountType(rule, "sinceImagePulled").archives).toBe(true);
    expect(withCountType({ ...rule, archives: true }, "sinceImageTransitioned")).toMatchObject({
      archives: false,
      countNumber: 90,
    });
  });

  it("numbers a new rule after all others", () => {
    expect(newRule([rule]).priority).toBe(4);
    expect(newRule([]).priority).toBe(1);
  });
});
