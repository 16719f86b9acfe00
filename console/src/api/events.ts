/** Targets of a registry's events, and what they did not get: operations of the `berth` service. */

import { berth } from "./berth";

export interface EventTarget {
  targetName: string;
  url: string;
  eventPattern: string;
  state: "ENABLED" | "DISABLED";
  stateReason?: string;
  waitingCount: number;
  failedCount: number;
  failures: number;
}

export const listEventTargets = async (): Promise<EventTarget[]> =>
  (await berth<{ eventTargets: EventTarget[] }>("ListEventTargets")).eventTargets;

export interface PutAnswer {
  eventTarget: EventTarget;
  /** Shown once. */
  secret?: string;
}

export interface TestAnswer {
  delivered: boolean;
  statusCode?: number;
  durationMilliseconds: number;
  response?: string;
  reason?: string;
}

export interface FailedDelivery {
  deliveryId: string;
  targetName: string;
  detailType: string;
  repositoryName?: string;
  /** Seconds since 1970, as JSON 1.1 writes them. */
  occurredAt: number;
  attempts: number;
  reason: string;
}

const PAGE_SIZE = 50;

export async function listFailed(token: string | undefined): Promise<{ items: FailedDelivery[]; nextToken?: string }> {
  const more = token === undefined ? {} : { nextToken: token };
  const answer = await berth<{ deliveries: FailedDelivery[]; nextToken?: string }>("ListFailedEventDeliveries", {
    maxResults: PAGE_SIZE,
    ...more,
  });
  return { items: answer.deliveries, ...(answer.nextToken === undefined ? {} : { nextToken: answer.nextToken }) };
}
