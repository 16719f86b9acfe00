/** Deletions of repositories and images as the calls that make them. */

import type { Change } from "./commands/change";

/** The most images that one call takes (ECR API Reference, BatchDeleteImage). */
const IMAGES_MAX = 100;

export function deletionOfRepository(name: string, force: boolean): Change {
  // Without `force`, a repository that is not empty stays.
  return { service: "ecr", operation: "DeleteRepository", input: { repositoryName: name, ...(force ? { force } : {}) } };
}

export function deletionsOfImages(name: string, digests: readonly string[]): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < digests.length; at += IMAGES_MAX) {
    const imageIds = digests.slice(at, at + IMAGES_MAX).map((imageDigest) => ({ imageDigest }));
    changes.push({ service: "ecr", operation: "BatchDeleteImage", input: { repositoryName: name, imageIds } });
  }
  return changes;
}
