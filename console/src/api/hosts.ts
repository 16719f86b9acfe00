/** Hosts that have a role: operations of the `berth` service. */

import { berth } from "./berth";

export interface Host {
  hostId: string;
  hostArn: string;
  hostName?: string;
  instanceProfileArn?: string;
  status: "ACTIVE" | "REVOKED";
  /** Times are seconds since 1970, as JSON 1.1 writes them. */
  joinedAt?: number;
  lastSeenAt?: number;
  revokedAt?: number;
}

export interface HostPage {
  hosts: Host[];
  nextToken?: string;
}

export const listHosts = (nextToken: string | undefined, maxResults: number, signal?: AbortSignal): Promise<HostPage> =>
  berth<HostPage>("ListHosts", { maxResults, ...(nextToken === undefined ? {} : { nextToken }) }, signal);

export interface Invitation {
  invitationId: string;
  /** Works once; shown once. */
  code: string;
  expiresAt: number;
}

/** Pages of hosts that are looked through for those of a profile. */
const PAGES_MAX = 20;

/** Ids of the active hosts that use one of the instance profiles. */
export async function hostsOfProfiles(profileArns: string[]): Promise<string[]> {
  if (profileArns.length === 0) return [];
  const found: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await listHosts(token, 1000);
    const using = answer.hosts.filter(
      (host) => host.status === "ACTIVE" && profileArns.includes(host.instanceProfileArn ?? ""),
    );
    found.push(...using.map((host) => host.hostId));
    token = answer.nextToken;
    if (token === undefined) break;
  }
  return found;
}
