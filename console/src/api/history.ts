/** Tag history, pulls, search and usage, of the `berth` service. Times are seconds since the epoch. */

import { berth } from "./berth";

export interface TagEvent {
  imageTag: string;
  eventType: "CREATED" | "MOVED" | "DELETED";
  method: "PUSH" | "PUT_IMAGE" | "RETAG" | "DELETE" | "LIFECYCLE" | "REPLICATION" | "RESTORE" | "PULL_THROUGH";
  imageDigest?: string;
  imageExists?: boolean;
  previousImageDigest?: string;
  eventTime: number;
  principalArn?: string;
  sessionName?: string;
  serviceName?: string;
}

export interface Page<T> {
  items: T[];
  nextToken: string | undefined;
}

/** Rows of a page. */
const PAGE_SIZE = 50;

const paged = (token: string | undefined) => (token === undefined ? {} : { nextToken: token });

export async function listTagHistory(
  repositoryName: string,
  imageTag: string,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<Page<TagEvent>> {
  const input = {
    repositoryName,
    maxResults: PAGE_SIZE,
    ...(imageTag === "" ? {} : { imageTag }),
    ...paged(token),
  };
  const answer = await berth<{ events: TagEvent[]; nextToken?: string }>("ListTagHistory", input, signal);
  return { items: answer.events, nextToken: answer.nextToken };
}

export interface ImagePulls {
  day: string;
  imageDigest: string;
  principalArn: string;
  pullCount: number;
  lastPulledAt: number;
}

export async function listPulls(
  repositoryName: string,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<Page<ImagePulls>> {
  const input = { repositoryName, maxResults: PAGE_SIZE, ...paged(token) };
  const answer = await berth<{ pulls: ImagePulls[]; nextToken?: string }>("ListImagePulls", input, signal);
  return { items: answer.pulls, nextToken: answer.nextToken };
}

export interface ImageActivity {
  imageDigest: string;
  pushedBy?: string;
  pushedBySessionName?: string;
  lastPulledBy?: string;
  lastPulledAt?: number;
  pullCount: number;
}

/** Who pushed images and who pulled them last, by digest; a page of images at most. */
export async function imageActivity(repositoryName: string, imageDigests: string[]): Promise<Map<string, ImageActivity>> {
  const answer = await berth<{ images: ImageActivity[] }>("BatchGetImageActivity", { repositoryName, imageDigests });
  return new Map(answer.images.map((image) => [image.imageDigest, image]));
}

export interface SearchResult {
  matchType: "REPOSITORY" | "TAG" | "DIGEST" | "ANNOTATION" | "LABEL" | "IMAGE";
  repositoryName: string;
  imageDigest?: string;
  imageTag?: string;
  matchedText?: string;
}

/** The first results of a search, on one page. */
export async function searchImages(query: string, maxResults: number, signal?: AbortSignal): Promise<SearchResult[]> {
  const answer = await berth<{ results: SearchResult[] }>("SearchImages", { query, maxResults }, signal);
  return answer.results;
}

export interface UsageDay {
  day: string;
  storedBytes: number;
  receivedBytes: number;
  sentBytes: number;
  pullCount: number;
  pushCount: number;
}

export interface Usage {
  repositoryCount: number;
  imageCount: number;
  storedBytes: number;
  receivedBytes: number;
  sentBytes: number;
  days: UsageDay[];
}

export interface Range {
  startDate: string;
  endDate: string;
}

export const getUsage = (range: Range, signal?: AbortSignal) => berth<Usage>("GetUsage", range, signal);

export interface RepositoryUsage {
  repositoryName: string;
  imageCount: number;
  storedBytes: number;
  sharedBytes: number;
  receivedBytes: number;
  sentBytes: number;
  pullCount: number;
  pushCount: number;
}

export async function listRepositoryUsage(
  range: Range,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<Page<RepositoryUsage>> {
  const input = { ...range, maxResults: PAGE_SIZE, ...paged(token) };
  const answer = await berth<{ repositories: RepositoryUsage[]; nextToken?: string }>("ListRepositoryUsage", input, signal);
  return { items: answer.repositories, nextToken: answer.nextToken };
}

export interface PrincipalUsage {
  principalArn: string;
  receivedBytes: number;
  sentBytes: number;
  pullCount: number;
  pushCount: number;
}

export async function listPrincipalUsage(
  range: Range,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<Page<PrincipalUsage>> {
  const input = { ...range, maxResults: PAGE_SIZE, ...paged(token) };
  const answer = await berth<{ principals: PrincipalUsage[]; nextToken?: string }>("ListPrincipalUsage", input, signal);
  return { items: answer.principals, nextToken: answer.nextToken };
}
