import { queryOptions } from "@tanstack/react-query";
import {
  getImage,
  getManifests,
  getRepository,
  getRepositoryPolicy,
  getSmallLayer,
  listImages,
  listTags,
} from "../../api/ecr";
import { imageActivity, type ImageActivity } from "../../api/history";
import { getLifecyclePolicy, getLifecyclePreview } from "../../api/lifecycle";
import { askWhileAllowed } from "../../api/optional";
import { getReadOnlyMode, type ReadOnlyMode } from "../../api/registry";
import { imageReplication, type ImageReplicationStatus } from "../../api/replication";

/** Results of a preview on one page, and how often one that is being made is asked for. */
const PREVIEW_PAGE = 50;
const PREVIEW_INTERVAL_MS = 1000;
/** How often an image that is being replicated is asked for. */
const REPLICATION_INTERVAL_MS = 2000;

/** The key of everything that is known of a repository. */
export const repositoryKey = (name: string) => ["repository", name];

export const repositoryQuery = (name: string) =>
  queryOptions({
    queryKey: repositoryKey(name),
    queryFn: async () => (await getRepository(name)) ?? null,
  });

export const imagesQuery = (name: string, token: string | undefined, size: number) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "images", token, size],
    queryFn: () => listImages(name, token, size),
  });

export const imageQuery = (name: string, digest: string) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "image", digest],
    queryFn: async () => (await getImage(name, digest)) ?? null,
  });

export const manifestsQuery = (name: string, digests: string[]) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "manifests", digests],
    queryFn: () => getManifests(name, digests),
    enabled: digests.length > 0,
    // A digest names the same bytes for ever.
    staleTime: Infinity,
  });

/**
 * Who pushed and pulled the images of a page, which adds to a list that is complete without it. Who was refused it
 * once is not asked for again while the page is open: each refused call is a denial that administrators see.
 */
export const activityQuery = (name: string, digests: string[]) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "activity", digests],
    queryFn: () => askWhileAllowed("BatchGetImageActivity", new Map<string, ImageActivity>(), () => imageActivity(name, digests)),
    enabled: digests.length > 0,
    retry: false,
  });

/** Where an image is replicated to. As with `activityQuery`, who was refused it is not asked for again. */
export const replicationQuery = (name: string, digest: string) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "replication", digest],
    queryFn: () =>
      askWhileAllowed<ImageReplicationStatus[]>("DescribeImageReplicationStatus", [], () => imageReplication(name, digest)),
    retry: false,
    refetchInterval: (query) =>
      query.state.data?.some(({ status }) => status === "IN_PROGRESS") === true ? REPLICATION_INTERVAL_MS : false,
  });

export const configurationQuery = (name: string, digest: string) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "layer", digest],
    queryFn: () => getSmallLayer(name, digest),
    staleTime: Infinity,
  });

/** The mode of the repository. Banner and settings ask for themselves: who was refused it sees why in the settings. */
export const readOnlyKey = (name: string) => [...repositoryKey(name), "read-only"];
export const readOnlyQuery = (name: string) =>
  queryOptions({ queryKey: [...readOnlyKey(name), "settings"], queryFn: () => getReadOnlyMode(name), retry: false });
export const readOnlyBannerQuery = (name: string) =>
  queryOptions({
    queryKey: [...readOnlyKey(name), "banner"],
    queryFn: () => askWhileAllowed<ReadOnlyMode | null>("GetReadOnlyMode", null, () => getReadOnlyMode(name)),
    retry: false,
  });

export const policyQuery = (name: string) =>
  queryOptions({
    queryKey: [...repositoryKey(name), "policy"],
    queryFn: async () => (await getRepositoryPolicy(name)) ?? "",
  });

export const tagsQuery = (name: string, arn: string) =>
  queryOptions({ queryKey: [...repositoryKey(name), "tags"], queryFn: () => listTags(arn) });

export const lifecycleKey = (name: string) => [...repositoryKey(name), "lifecycle"];
export const lifecyclePreviewKey = (name: string) => [...repositoryKey(name), "lifecycle-preview"];

export const lifecycleQuery = (name: string) =>
  queryOptions({ queryKey: lifecycleKey(name), queryFn: () => getLifecyclePolicy(name) });

export const lifecyclePreviewQuery = (name: string, token: string | undefined) =>
  queryOptions({
    queryKey: [...lifecyclePreviewKey(name), token],
    queryFn: () => getLifecyclePreview(name, token, PREVIEW_PAGE),
    refetchInterval: (query) => (query.state.data?.status === "IN_PROGRESS" ? PREVIEW_INTERVAL_MS : false),
  });
