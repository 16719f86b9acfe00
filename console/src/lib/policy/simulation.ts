/** What the simulator's answer says of each policy type, in the order of evaluation. */

export type Decision = "allowed" | "explicitDeny" | "implicitDeny";

export type PolicyType = "organization" | "resource" | "boundary" | "identity";

export interface Matched {
  policy: string;
  type: string;
  line: number | undefined;
}

/** The members of the answer (IAM API Reference, EvaluationResult). */
export interface Answer {
  decision: Decision;
  statements: Matched[];
  allowedByBoundary: boolean | undefined;
  allowedByOrganization: boolean | undefined;
  /** By `SourcePolicyType`, where principal and resource are of two accounts. */
  details: Readonly<Record<string, string>>;
}

export interface TypeStep {
  type: PolicyType;
  /** `silent`: no statement of the type allows the request, and none denies it. */
  verdict: "allows" | "denies" | "silent";
  statements: Matched[];
}

const SOURCES = {
  organization: "Service Control Policy",
  resource: "Resource Policy",
  boundary: "Permissions Boundary Policy",
  identity: "IAM Policy",
} as const;

/** The answer of a simulation in which the organization's policy stood in the place of a boundary. */
export const asOrganization = <A extends Answer>(answer: A): A => ({
  ...answer,
  statements: answer.statements
    .filter(({ type }) => isOf(type, SOURCES.boundary))
    .map((matched) => ({ ...matched, type: SOURCES.organization })),
  allowedByOrganization: answer.allowedByBoundary,
  allowedByBoundary: undefined,
});

/** The names differ between AWS's documentation and its model: letter case, spaces and hyphens do not count. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, "");

const isOf = (name: string, source: string): boolean => plain(name) === plain(source);

/**
 * The policy types that took part. The answer names statements that decided; of the others it says no more than that
 * they did not.
 */
export function typeSteps(answer: Answer): TypeStep[] {
  const steps: TypeStep[] = [];
  const isDenied = answer.decision === "explicitDeny";
  if (answer.allowedByOrganization !== undefined) {
    const statements = answer.statements.filter((matched) => isOf(matched.type, SOURCES.organization));
    // The answer does not say whether a statement denies it, or none allows it.
    const verdict = answer.allowedByOrganization ? "allows" : statements.length > 0 ? "denies" : "silent";
    steps.push({ type: "organization", verdict, statements });
  }
  const known = new Set<string>(Object.values(SOURCES).map(plain));
  for (const type of ["resource", "boundary", "identity"] as const) {
    const statements = answer.statements.filter(
      (matched) =>
        isOf(matched.type, SOURCES[type]) || (type === "identity" && !known.has(plain(matched.type))),
    );
    const detail = Object.entries(answer.details).find(([name]) => isOf(name, SOURCES[type]))?.[1];
    const isBoundary = type === "boundary" && answer.allowedByBoundary !== undefined;
    if (type !== "identity" && statements.length === 0 && detail === undefined && !isBoundary) continue;
    steps.push({ type, verdict: verdictOf(detail, statements, isBoundary ? answer.allowedByBoundary : undefined, isDenied), statements });
  }
  return steps;
}

function verdictOf(
  detail: string | undefined,
  statements: Matched[],
  isAllowed: boolean | undefined,
  isDenied: boolean,
): TypeStep["verdict"] {
  if (detail === "allowed") return "allows";
  if (detail === "explicitDeny") return "denies";
  if (detail === "implicitDeny") return "silent";
  // Of a denial, the answer names the statements that deny.
  if (statements.length > 0) return isDenied ? "denies" : "allows";
  return isAllowed === true ? "allows" : "silent";
}
