/** Replication of a registry's images to other registries. */

import {
  DescribeImageReplicationStatusCommand,
  DescribeReplicationBackfillResultsCommand,
  ListReplicationBackfillsCommand,
  type ImageReplicationStatus,
  type ReplicationBackfillResult,
  type ReplicationBackfillSummary,
} from "@aws-sdk/client-ecr";
import type { ReplicationConfiguration } from "../lib/replication";
import { berth } from "./berth";
import { ecr } from "./clients";
import type { Page } from "./ecr";
import { jsonService } from "./json-service";

export type { ImageReplicationStatus, ReplicationBackfillResult, ReplicationBackfillSummary };

/** The SDK of this version drops `deleteReplication`, in requests and in answers. */
const ecrJson = jsonService("ecr", "AmazonEC2ContainerRegistry_V20150921");

/** The configuration as text; empty where there are no rules. */
export async function getReplication(): Promise<string> {
  const answer = await ecrJson<{ replicationConfiguration?: ReplicationConfiguration }>("DescribeRegistry");
  const { rules = [] } = answer.replicationConfiguration ?? {};
  return rules.length === 0 ? "" : JSON.stringify({ rules }, undefined, 2);
}

export const putReplication = (input: object): Promise<unknown> => ecrJson("PutReplicationConfiguration", input);

/** What became of an image at each destination. */
export async function imageReplication(name: string, digest: string): Promise<ImageReplicationStatus[]> {
  const command = new DescribeImageReplicationStatusCommand({ repositoryName: name, imageId: { imageDigest: digest } });
  return (await ecr().send(command)).replicationStatuses ?? [];
}

const BACKFILLS_PAGE = 25;
const RESULTS_PAGE = 100;

/** Backfills, the latest first. */
export async function listBackfills(token: string | undefined): Promise<Page<ReplicationBackfillSummary>> {
  const command = new ListReplicationBackfillsCommand({ nextToken: token, maxResults: BACKFILLS_PAGE });
  const answer = await ecr().send(command);
  return { items: answer.backfills ?? [], nextToken: answer.nextToken };
}

/** What could not be replicated. */
export async function failedResults(id: string, token: string | undefined): Promise<Page<ReplicationBackfillResult>> {
  const command = new DescribeReplicationBackfillResultsCommand({
    replicationBackfillId: id,
    resultStatusFilter: "FAILED",
    nextToken: token,
    maxResults: RESULTS_PAGE,
  });
  const answer = await ecr().send(command);
  return { items: answer.results ?? [], nextToken: answer.nextToken };
}

/** Another server that is a destination. */
export interface Peer {
  region: string;
  registryId: string;
  endpoint: string;
  accessKeyId: string;
  certificateAuthority?: string;
  /** Seconds since 1970, as JSON 1.1 writes them. */
  lastSuccessAt?: number;
  lastFailureAt?: number;
  lastFailure?: string;
  waitingCount: number;
}

export const listPeers = async (): Promise<Peer[]> =>
  (await berth<{ replicationPeers: Peer[] }>("DescribeReplicationPeers")).replicationPeers;

/** Patterns of the tags that go to a destination. */
export interface TagFilter {
  region: string;
  registryId: string;
  tagPatternList: string[];
}

export const listTagFilters = async (): Promise<TagFilter[]> =>
  (await berth<{ tagFilters: TagFilter[] }>("DescribeReplicationTagFilters")).tagFilters;
