/** Lifecycle policies and their previews. */

import {
  DeleteLifecyclePolicyCommand,
  GetLifecyclePolicyCommand,
  GetLifecyclePolicyPreviewCommand,
  PutLifecyclePolicyCommand,
  StartLifecyclePolicyPreviewCommand,
  type LifecyclePolicyPreviewResult,
} from "@aws-sdk/client-ecr";
import { ecr } from "./clients";

export type { LifecyclePolicyPreviewResult };

export interface LifecyclePolicy {
  text: string;
  /** When it was last run; absent before the first time. */
  evaluatedAt?: Date;
}

export interface LifecyclePreview {
  text: string;
  status: string;
  expiring: number;
  archiving: number;
  results: LifecyclePolicyPreviewResult[];
  next?: string;
}

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;

/** The repository's policy, or `null` where it has none. */
export async function getLifecyclePolicy(name: string): Promise<LifecyclePolicy | null> {
  try {
    const found = await ecr().send(new GetLifecyclePolicyCommand({ repositoryName: name }));
    const at = found.lastEvaluatedAt;
    const evaluated = at !== undefined && at.getTime() > 0 ? { evaluatedAt: at } : {};
    return { text: found.lifecyclePolicyText ?? "", ...evaluated };
  } catch (error) {
    if (isNamed(error, "LifecyclePolicyNotFoundException")) return null;
    throw error;
  }
}

export async function putLifecyclePolicy(name: string, text: string): Promise<void> {
  await ecr().send(new PutLifecyclePolicyCommand({ repositoryName: name, lifecyclePolicyText: text }));
}

export async function deleteLifecyclePolicy(name: string): Promise<void> {
  await ecr().send(new DeleteLifecyclePolicyCommand({ repositoryName: name }));
}

export async function startLifecyclePreview(name: string, text: string): Promise<void> {
  await ecr().send(new StartLifecyclePolicyPreviewCommand({ repositoryName: name, lifecyclePolicyText: text }));
}

/** A page of the last preview, or `null` where there is none. */
export async function getLifecyclePreview(
  name: string,
  token: string | undefined,
  size: number,
): Promise<LifecyclePreview | null> {
  try {
    const found = await ecr().send(
      new GetLifecyclePolicyPreviewCommand({ repositoryName: name, nextToken: token, maxResults: size }),
    );
    const next = found.nextToken;
    return {
      text: found.lifecyclePolicyText ?? "",
      status: found.status ?? "",
      expiring: found.summary?.expiringImageTotalCount ?? 0,
      archiving: found.summary?.transitioningImageTotalCounts?.[0]?.imageTotalCount ?? 0,
      results: found.previewResults ?? [],
      ...(next === undefined ? {} : { next }),
    };
  } catch (error) {
    if (isNamed(error, "LifecyclePolicyPreviewNotFoundException")) return null;
    throw error;
  }
}
