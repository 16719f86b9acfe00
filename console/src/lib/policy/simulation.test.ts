import { expect, test } from "vitest";
import { asOrganization, typeSteps, type Answer } from "./simulation";

const answer = (part: Partial<Answer>): Answer => ({
  decision: "implicitDeny",
  statements: [],
  allowedByBoundary: undefined,
  allowedByOrganization: undefined,
  details: {},
  ...part,
});
const words = (part: Partial<Answer>) => typeSteps(answer(part)).map(({ type, verdict }) => `${type} ${verdict}`);
const statement = (type: string) => ({ policy: "p", type, line: 3 });

test("names the identity policies always, and other types where they took part", () => {
  expect(words({})).toEqual(["identity silent"]);
  expect(words({ decision: "allowed", statements: [statement("IAM Policy")] })).toEqual(["identity allows"]);
  expect(words({ decision: "allowed", statements: [statement("Resource Policy")] })).toEqual([
    "resource allows",
    "identity silent",
  ]);
});

test("says which type stopped the request", () => {
  expect(words({ allowedByOrganization: false })).toEqual(["organization silent", "identity silent"]);
  expect(words({ allowedByBoundary: false, statements: [statement("IAM Policy")] })).toEqual([
    "boundary silent",
    "identity allows",
  ]);
  expect(words({ decision: "explicitDeny", statements: [statement("IAM Policy")] })).toEqual(["identity denies"]);
  expect(
    words({ decision: "explicitDeny", allowedByBoundary: false, statements: [statement("Permissions Boundary Policy")] }),
  ).toEqual(["boundary denies", "identity silent"]);
});

test("a policy of the organization that is simulated as a boundary is shown as what it is", () => {
  const denied = answer({
    decision: "explicitDeny",
    allowedByBoundary: false,
    statements: [statement("Permissions Boundary Policy"), statement("IAM Policy")],
  });
  expect(typeSteps(asOrganization(denied)).map(({ type, verdict }) => `${type} ${verdict}`)).toEqual([
    "organization denies",
    "identity silent",
  ]);
});

test("takes the details of a request between two accounts", () => {
  expect(words({ details: { "IAM Policy": "allowed", "Resource Policy": "implicitDeny" } })).toEqual([
    "resource silent",
    "identity allows",
  ]);
});

test("counts a policy of another kind among the identity policies", () => {
  const [step] = typeSteps(answer({ decision: "allowed", statements: [statement("user")] }));
  expect(step?.statements).toHaveLength(1);
});
