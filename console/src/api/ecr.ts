/** Calls of ECR. */

import {
  BatchGetImageCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetDownloadUrlForLayerCommand,
  GetRepositoryPolicyCommand,
  ListImageReferrersCommand,
  ListTagsForResourceCommand,
  SetRepositoryPolicyCommand,
  type BatchDeleteImageCommandOutput,
  type ImageDetail,
  type ImageFailure,
  type ImageReferrer,
  type Repository,
  type Tag,
} from "@aws-sdk/client-ecr";
import type { Change } from "../lib/commands/change";
import { ecr } from "./clients";
import { perform } from "./perform";

export type { ImageDetail, ImageFailure, ImageReferrer, Repository, Tag };

export interface Page<T> {
  items: T[];
  nextToken: string | undefined;
}

/** The most images that one call takes (ECR API Reference, BatchDeleteImage and BatchGetImage). */
const IMAGES_MAX = 100;
/** A configuration is small; more is not shown. */
const CONFIGURATION_BYTES_MAX = 1024 * 1024;

export async function listRepositories(token: string | undefined, size: number): Promise<Page<Repository>> {
  const answer = await ecr().send(new DescribeRepositoriesCommand({ nextToken: token, maxResults: size }));
  return { items: answer.repositories ?? [], nextToken: answer.nextToken };
}

export async function getRepository(name: string): Promise<Repository | undefined> {
  const answer = await ecr().send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  return answer.repositories?.[0];
}

export async function listImages(name: string, token: string | undefined, size: number): Promise<Page<ImageDetail>> {
  const command = new DescribeImagesCommand({ repositoryName: name, nextToken: token, maxResults: size });
  const answer = await ecr().send(command);
  return { items: answer.imageDetails ?? [], nextToken: answer.nextToken };
}

export async function getImage(name: string, digest: string): Promise<ImageDetail | undefined> {
  const command = new DescribeImagesCommand({ repositoryName: name, imageIds: [{ imageDigest: digest }] });
  return (await ecr().send(command)).imageDetails?.[0];
}

/** The image that a tag names. */
export async function findByTag(name: string, tag: string): Promise<ImageDetail | undefined> {
  const command = new DescribeImagesCommand({ repositoryName: name, imageIds: [{ imageTag: tag }] });
  return (await ecr().send(command)).imageDetails?.[0];
}

/** Manifests as they were pushed, by digest. */
export async function getManifests(name: string, digests: string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < digests.length; at += IMAGES_MAX) {
    const imageIds = digests.slice(at, at + IMAGES_MAX).map((imageDigest) => ({ imageDigest }));
    const answer = await ecr().send(new BatchGetImageCommand({ repositoryName: name, imageIds }));
    for (const { imageId, imageManifest } of answer.images ?? []) {
      if (imageId?.imageDigest !== undefined && imageManifest !== undefined) {
        found.set(imageId.imageDigest, imageManifest);
      }
    }
  }
  return found;
}

/** Makes the calls that delete images; those that stayed, and why. */
export async function deleteImages(deletions: readonly Change[]): Promise<ImageFailure[]> {
  const failures: ImageFailure[] = [];
  for (const deletion of deletions) {
    const answer = (await perform(deletion)) as BatchDeleteImageCommandOutput;
    failures.push(...(answer.failures ?? []));
  }
  return failures;
}

export async function listReferrers(
  name: string,
  digest: string,
  token: string | undefined,
): Promise<Page<ImageReferrer>> {
  const command = new ListImageReferrersCommand({
    repositoryName: name,
    subjectId: { imageDigest: digest },
    nextToken: token,
  });
  const answer = await ecr().send(command);
  return { items: answer.referrers ?? [], nextToken: answer.nextToken };
}

/** A small layer as text, such as an image's configuration. It is downloaded from this server, whatever its name. */
export async function getSmallLayer(name: string, digest: string): Promise<string> {
  const command = new GetDownloadUrlForLayerCommand({ repositoryName: name, layerDigest: digest });
  const { downloadUrl } = await ecr().send(command);
  const { pathname, search } = new URL(downloadUrl ?? "", window.location.origin);
  const response = await fetch(pathname + search, { credentials: "omit", redirect: "error" });
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const length = Number(response.headers.get("content-length") ?? 0);
  if (length > CONFIGURATION_BYTES_MAX) throw new Error(`${length} bytes`);
  return response.text();
}

/** The repository's policy, or `undefined` where it has none. */
export async function getRepositoryPolicy(name: string): Promise<string | undefined> {
  try {
    return (await ecr().send(new GetRepositoryPolicyCommand({ repositoryName: name }))).policyText;
  } catch (error) {
    if (error instanceof Error && error.name === "RepositoryPolicyNotFoundException") return undefined;
    throw error;
  }
}

export async function setRepositoryPolicy(name: string, policyText: string): Promise<void> {
  await ecr().send(new SetRepositoryPolicyCommand({ repositoryName: name, policyText }));
}

export async function deleteRepositoryPolicy(name: string): Promise<void> {
  await ecr().send(new DeleteRepositoryPolicyCommand({ repositoryName: name }));
}

export async function listTags(arn: string): Promise<Tag[]> {
  return (await ecr().send(new ListTagsForResourceCommand({ resourceArn: arn }))).tags ?? [];
}
