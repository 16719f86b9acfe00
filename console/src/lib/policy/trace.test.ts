import { expect, test } from "vitest";
import {
  asOrganizationTrace,
  isTelling,
  missedElements,
  orderedStatements,
  shownPolicies,
  type Trace,
  type TracedStatement,
} from "./trace";

const statement = (statementIndex: number, part: Partial<TracedStatement> = {}): TracedStatement => ({
  statementIndex,
  line: statementIndex + 1,
  effect: "Allow",
  isMatch: false,
  isDecisive: false,
  isNearest: false,
  elements: [],
  ...part,
});
const element = (name: string, isMatch: boolean) => ({ element: name, isMatch, wanted: ["x"] });
const trace = (policies: Trace["policies"]): Trace => ({
  decision: "ImplicitlyDenied",
  policyType: "permissions boundary",
  summary: "No permissions boundary allows it.",
  policies,
});

test("shows what decided first, then what came nearest, then what applies", () => {
  const ordered = orderedStatements([
    statement(0),
    statement(1, { isMatch: true }),
    statement(2, { isNearest: true }),
    statement(3, { isMatch: true, isDecisive: true }),
    statement(4),
  ]);
  expect(ordered.map(({ statementIndex }) => statementIndex)).toEqual([3, 2, 1, 0, 4]);
});

test("names each element that did not match once", () => {
  const one = statement(0, {
    elements: [
      element("Action", true),
      element("Condition StringEquals aws:username", false),
      element("Condition StringEquals aws:username", false),
      element("Resource", false),
    ],
  });
  expect(missedElements(one)).toEqual(["Condition StringEquals aws:username", "Resource"]);
});

test("leaves out policies without a statement, but not those that may not be read", () => {
  const shown = shownPolicies(
    trace([
      { policyType: "identity-based policy", policyName: "empty", statements: [] },
      { policyType: "identity-based policy", policyName: "hidden", requiredAction: "iam:GetUserPolicy", statements: [] },
      { policyType: "identity-based policy", policyName: "full", statements: [statement(0)] },
    ]),
  );
  expect(shown.map(({ policyName }) => policyName)).toEqual(["hidden", "full"]);
});

test("opens the policies that decided or came nearest", () => {
  const policy = (part: Partial<TracedStatement>) => ({ policyType: "", statements: [statement(0, part)] });
  expect(isTelling(policy({}))).toBe(false);
  expect(isTelling(policy({ isNearest: true }))).toBe(true);
  expect(isTelling(policy({ isDecisive: true }))).toBe(true);
});

test("a policy of the organization that is simulated as a boundary is shown as what it is", () => {
  const shown = asOrganizationTrace(
    trace([
      { policyType: "identity-based policy", statements: [statement(0, { isMatch: true })] },
      { policyType: "permissions boundary", statements: [statement(0)] },
    ]),
  );
  expect(shown.policyType).toBe("service control policy");
  expect(shown.policies.map(({ policyType }) => policyType)).toEqual(["service control policy"]);
});
