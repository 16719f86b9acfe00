/** Denied requests: their causes, their explanations, and what would allow them. */

import { proposedPlace } from "../lib/policy/place";
import { berth } from "./berth";
import { replaceDocument } from "./documents";

export type Decision = "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied";

export interface Denial {
  requestId: string;
  /** Seconds since the epoch. */
  requestTime: number;
  decision: Decision;
  principalArn: string;
  action: string;
  resourceArn: string;
  reason: string;
}

export interface DenialGroup extends Omit<Denial, "requestTime"> {
  count: number;
  firstTime: number;
  lastTime: number;
}

export interface Filter {
  principalArn?: string;
  action?: string;
  resourceArn?: string;
  startTime?: number;
}

export interface ComparedElement {
  element: string;
  isMatch: boolean;
  wanted: string[];
  saw?: string[];
  notes?: string[];
}

export interface PolicyStep {
  policyType: string;
  outcome: "Allows" | "Denies" | "Silent";
  isDecisive: boolean;
  statement?: {
    policyArn?: string;
    policyName?: string;
    statementId?: string;
    statementIndex: number;
    effect: string;
    elements: ComparedElement[];
  };
}

export interface ProposedChange {
  changeType: "AddStatement" | "CreatePolicy" | "ExtendStatement" | "NarrowDeny";
  policyType: string;
  operation: string;
  holderName?: string;
  policyName?: string;
  policyArn?: string;
  resourceArn?: string;
  description?: string;
  oldDocument?: string;
  newDocument?: string;
  requiredAction?: string;
}

export interface Proposal {
  requestId: string;
  decision?: Decision;
  steps: PolicyStep[];
  changes: ProposedChange[];
  note?: string;
}

export interface AllowedPrincipal {
  principalArn: string;
  principalKind: "Account" | "Everyone" | "Federated" | "Role" | "Root" | "Service" | "User";
  access: "Allowed" | "Conditional";
  reason: string;
  conditions: string[];
}

export interface Paged {
  nextToken?: string;
}

const PAGE = 50;

const page = (token: string | undefined) => ({ maxResults: PAGE, ...(token === undefined ? {} : { nextToken: token }) });

export const listGroups = (filter: Filter, token: string | undefined, signal?: AbortSignal) =>
  berth<{ groups: DenialGroup[] } & Paged>("ListDenialGroups", { ...filter, ...page(token) }, signal);

export const listDenials = (filter: Filter, token: string | undefined, signal?: AbortSignal) =>
  berth<{ denials: Denial[] } & Paged>("ListDenials", { ...filter, ...page(token) }, signal);

export const explain = (requestId: string, signal?: AbortSignal) => berth<Denial>("ExplainRequest", { requestId }, signal);

export const propose = (requestId: string, signal?: AbortSignal) => berth<Proposal>("ProposeChange", { requestId }, signal);

export const listAllowed = (action: string, resourceArn: string, token: string | undefined, signal?: AbortSignal) =>
  berth<{ principals: AllowedPrincipal[] } & Paged>("ListAllowedPrincipals", { action, resourceArn, ...page(token) }, signal);

/** Makes a proposed change, unless the document is not the one that the proposal was made for. */
export async function apply(change: ProposedChange): Promise<void> {
  const place = proposedPlace(change);
  if (place === undefined) throw new Error(`the operation ${change.operation} is not known`);
  await replaceDocument(place, change.oldDocument, change.newDocument ?? "");
}
