/** What the screens show of a simulated request's trace. */

import type { ComparedElement } from "../../api/denials";

export interface TracedStatement {
  statementId?: string;
  statementIndex: number;
  line: number;
  effect: "Allow" | "Deny";
  isMatch: boolean;
  isDecisive: boolean;
  isNearest: boolean;
  elements: ComparedElement[];
}

export interface TracedPolicy {
  policyType: string;
  policyArn?: string;
  policyName?: string;
  holderName?: string;
  requiredAction?: string;
  statements: TracedStatement[];
}

export interface Trace {
  decision: "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied";
  policyType: string;
  summary: string;
  policies: TracedPolicy[];
  notes?: string[];
  isTruncated?: boolean;
}

/** The trace of a simulation in which the organization's policy stood in the place of a boundary. */
export const asOrganizationTrace = (trace: Trace): Trace => {
  const renamed = (type: string) => (type === "permissions boundary" ? "service control policy" : type);
  return {
    ...trace,
    policyType: renamed(trace.policyType),
    policies: trace.policies
      .filter(({ policyType }) => policyType === "permissions boundary")
      .map((policy) => ({ ...policy, policyType: renamed(policy.policyType) })),
  };
};

/** Policies that say something, or that the viewer may not read. */
export const shownPolicies = (trace: Trace): TracedPolicy[] =>
  trace.policies.filter(({ statements, requiredAction }) => statements.length > 0 || requiredAction !== undefined);

/** What decided, then what came nearest, then what applies, then the others in the order of the document. */
export function orderedStatements(statements: readonly TracedStatement[]): TracedStatement[] {
  const rank = ({ isDecisive, isNearest, isMatch }: TracedStatement) => (isDecisive ? 0 : isNearest ? 1 : isMatch ? 2 : 3);
  return [...statements].sort((one, other) => rank(one) - rank(other) || one.statementIndex - other.statementIndex);
}

/** The elements that did not match, each once. */
export const missedElements = ({ elements }: TracedStatement): string[] => [
  ...new Set(elements.filter(({ isMatch }) => !isMatch).map(({ element }) => element)),
];

/** A policy that a reader should see at once. */
export const isTelling = ({ statements }: TracedPolicy): boolean =>
  statements.some(({ isDecisive, isNearest }) => isDecisive || isNearest);
