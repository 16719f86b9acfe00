/** Findings about policy documents, and simulated decisions. */

import { ValidatePolicyCommand, type ValidatePolicyFinding } from "@aws-sdk/client-accessanalyzer";
import {
  SimulateCustomPolicyCommand,
  SimulatePrincipalPolicyCommand,
  type ContextEntry,
  type EvaluationResult,
} from "@aws-sdk/client-iam";
import type { Finding } from "../lib/policy/fixes";
import { asOrganization, type Answer } from "../lib/policy/simulation";
import { asOrganizationTrace, type Trace } from "../lib/policy/trace";
import { berth } from "./berth";
import { accessAnalyzer, iam } from "./clients";

/** What a document is attached to. */
export type PolicyKind = "identity" | "trust" | "resource" | "scp";

const TYPES = {
  identity: { policyType: "IDENTITY_POLICY" },
  trust: { policyType: "RESOURCE_POLICY", validatePolicyResourceType: "AWS::IAM::AssumeRolePolicyDocument" },
  resource: { policyType: "RESOURCE_POLICY" },
  scp: { policyType: "SERVICE_CONTROL_POLICY" },
} as const;

/** Findings that are asked for; a document with more has one that says so. */
const FINDINGS_MAX = 200;

export async function findings(document: string, kind: PolicyKind, signal?: AbortSignal): Promise<Finding[]> {
  const command = new ValidatePolicyCommand({ policyDocument: document, maxResults: FINDINGS_MAX, ...TYPES[kind] });
  const answer = await accessAnalyzer().send(command, signal === undefined ? {} : { abortSignal: signal });
  return (answer.findings ?? []).map(finding);
}

function finding(found: ValidatePolicyFinding): Finding {
  const location = found.locations?.[0];
  const link = found.learnMoreLink;
  return {
    code: found.issueCode ?? "",
    level: found.findingType ?? "SUGGESTION",
    details: found.findingDetails ?? "",
    learnMore: link?.startsWith("https://") === true ? link : undefined,
    path: (location?.path ?? []).flatMap((step) => step.index ?? step.value ?? step.key ?? []),
    from: location?.span?.start?.offset ?? 0,
    to: location?.span?.end?.offset ?? 0,
    line: location?.span?.start?.line ?? 1,
  };
}

export interface Simulation {
  kind: PolicyKind;
  document: string;
  principal: string;
  action: string;
  resource: string;
  context: { key: string; value: string }[];
}

export interface Simulated extends Answer {
  missingContext: string[];
}

const EVERYTHING = JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } });

/** Asks the simulator: what would be decided if the document were in force. */
export async function simulate(question: Simulation, signal?: AbortSignal): Promise<Simulated> {
  const options = signal === undefined ? {} : { abortSignal: signal };
  const { kind, document, principal, action, resource } = question;
  const asked = {
    ActionNames: [action],
    ResourceArns: [resource],
    ContextEntries: question.context
      .filter(({ key, value }) => key !== "" && value !== "")
      .map(({ key, value }): ContextEntry => ({ ContextKeyName: key, ContextKeyType: "string", ContextKeyValues: [value] })),
  };
  const caller = principal === "" ? {} : { CallerArn: principal };
  if (kind === "scp") {
    const command = new SimulateCustomPolicyCommand({
      ...asked,
      PolicyInputList: [EVERYTHING],
      PermissionsBoundaryPolicyInputList: [document],
      ...caller,
    });
    return asOrganization(simulated(await iam().send(command, options)));
  }
  const isResource = kind === "trust" || kind === "resource";
  if (principal === "") {
    const policies = { PolicyInputList: isResource ? [] : [document] };
    return simulated(await iam().send(new SimulateCustomPolicyCommand({ ...asked, ...policies }), options));
  }
  const command = new SimulatePrincipalPolicyCommand({
    ...asked,
    PolicySourceArn: principal,
    ...caller,
    ...(isResource ? { ResourcePolicy: document } : { PolicyInputList: [document] }),
  });
  return simulated(await iam().send(command, options));
}

function simulated(answer: { EvaluationResults?: EvaluationResult[] | undefined }): Simulated {
  const result = answer.EvaluationResults?.[0];
  const decision = result?.EvalDecision;
  return {
    decision: decision === "allowed" || decision === "explicitDeny" ? decision : "implicitDeny",
    statements: (result?.MatchedStatements ?? []).map((statement) => ({
      policy: statement.SourcePolicyId ?? "",
      type: statement.SourcePolicyType ?? "",
      line: statement.StartPosition?.Line,
    })),
    missingContext: result?.MissingContextValues ?? [],
    allowedByBoundary: result?.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary,
    allowedByOrganization: result?.OrganizationsDecisionDetail?.AllowedByOrganizations,
    details: result?.EvalDecisionDetails ?? {},
  };
}

/** The same question, answered statement by statement. */
export async function trace(question: Simulation, signal?: AbortSignal): Promise<Trace> {
  const { kind, document, principal, action, resource } = question;
  const asked = {
    action,
    resourceArn: resource,
    contextEntries: question.context
      .filter(({ key, value }) => key !== "" && value !== "")
      .map(({ key, value }) => ({ contextKeyName: key, contextKeyValues: [value] })),
  };
  const isOfResource = kind === "trust" || kind === "resource";
  if (kind === "scp") {
    const caller = principal === "" ? {} : { callerArn: principal };
    const input = { ...asked, ...caller, policyInputs: [EVERYTHING], permissionsBoundary: document };
    return asOrganizationTrace(await berth<Trace>("SimulateRequest", input, signal));
  }
  if (principal === "") {
    return berth("SimulateRequest", { ...asked, policyInputs: isOfResource ? [] : [document] }, signal);
  }
  const policies = isOfResource ? { resourcePolicy: document } : { policyInputs: [document] };
  return berth("SimulateRequest", { ...asked, policySourceArn: principal, callerArn: principal, ...policies }, signal);
}
