import { describe, expect, it } from "vitest";
import { fixed, type Finding } from "./fixes";

const finding = (over: Partial<Finding>): Finding => ({
  code: "INVALID_ACTION",
  level: "ERROR",
  details: "",
  learnMore: undefined,
  path: [],
  from: 0,
  to: 0,
  line: 1,
  ...over,
});

describe("fixed", () => {
  const text = '{"Statement": {"Action": ["ecr:PutImages", "ecr:PutImage"]}}';

  it("writes what is suggested in the place of the value", () => {
    const suggestion = finding({ details: "There is none. Did you mean `ecr:PutImage`?", path: ["Statement", "Action", 0] });
    expect(fixed(text, suggestion)).toBe('{"Statement": {"Action": ["ecr:PutImage", "ecr:PutImage"]}}');
  });

  it("adds the version and removes entries that another one covers", () => {
    const version = fixed(text, finding({ code: "MISSING_VERSION" })) ?? "";
    expect(version).toBe(text.replace("{", '{"Version": "2012-10-17", '));
    const redundant = finding({ code: "REDUNDANT_ACTION", path: ["Statement", "Action", 0] });
    expect(fixed(text, redundant)).toBe('{"Statement": {"Action": ["ecr:PutImage"]}}');
  });

  it("leaves to the author what must be chosen", () => {
    expect(fixed(text, finding({ code: "PASS_ROLE_WITH_STAR_IN_RESOURCE" }))).toBeUndefined();
    const gone = finding({ details: "Did you mean `x`?", path: ["Statement", "Action", 9] });
    expect(fixed(text, gone)).toBeUndefined();
  });
});
