/** Keys that repositories are encrypted under: the part of KMS that the server has. */

import { findInPages } from "../lib/find-pages";
import type { TagPair } from "../lib/iam-changes";
import { listRepositories, type Page } from "./ecr";
import { jsonService } from "./json-service";

export const kms = jsonService("kms", "TrentService");

export interface Key {
  KeyId: string;
  Arn: string;
  Description?: string;
  KeyState: string;
  /** `CUSTOMER`, or `AWS` for the key that the server made. */
  KeyManager: string;
  /** Seconds since 1970, as JSON 1.1 writes them. */
  CreationDate: number;
  DeletionDate?: number;
}

export interface Rotation {
  KeyRotationEnabled: boolean;
  RotationPeriodInDays?: number;
  NextRotationDate?: number;
}

/** A row of the list. */
export interface KeyRow {
  key: Key;
  rotation: Rotation;
  tags: TagPair[];
}

/** Each key of a page is described by three calls. */
const PAGE_SIZE = 10;
const ALIASES_PAGE = 100;
const TAGS_PAGE = 50;

export async function describeKey(id: string): Promise<Key | null> {
  try {
    return (await kms<{ KeyMetadata: Key }>("DescribeKey", { KeyId: id })).KeyMetadata;
  } catch (error) {
    if (error instanceof Error && error.name === "NotFoundException") return null;
    throw error;
  }
}

export const getRotation = (id: string): Promise<Rotation> => kms<Rotation>("GetKeyRotationStatus", { KeyId: id });

/** A key has 50 tags at most: one page. */
export async function listKeyTags(id: string): Promise<TagPair[]> {
  const answer = await kms<{ Tags?: { TagKey: string; TagValue: string }[] }>("ListResourceTags", {
    KeyId: id,
    Limit: TAGS_PAGE,
  });
  return (answer.Tags ?? []).map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue }));
}

/** A page of keys. One that is deleted in between is left out. */
export async function listKeys(marker: string | undefined): Promise<Page<KeyRow>> {
  const answer = await kms<{ Keys?: { KeyId: string }[]; NextMarker?: string }>("ListKeys", {
    Limit: PAGE_SIZE,
    ...(marker === undefined ? {} : { Marker: marker }),
  });
  const rows = await Promise.all(
    (answer.Keys ?? []).map(async ({ KeyId }): Promise<KeyRow[]> => {
      const key = await describeKey(KeyId);
      if (key === null) return [];
      const [rotation, tags] = await Promise.all([getRotation(KeyId), listKeyTags(KeyId)]);
      return [{ key, rotation, tags }];
    }),
  );
  return { items: rows.flat(), nextToken: answer.NextMarker };
}

/** Names of aliases by the id of their key. */
export async function listAliases(keyId?: string): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  let marker: string | undefined;
  do {
    const answer = await kms<{ Aliases?: { AliasName: string; TargetKeyId?: string }[]; NextMarker?: string }>(
      "ListAliases",
      {
        Limit: ALIASES_PAGE,
        ...(keyId === undefined ? {} : { KeyId: keyId }),
        ...(marker === undefined ? {} : { Marker: marker }),
      },
    );
    for (const { AliasName, TargetKeyId = "" } of answer.Aliases ?? []) {
      found.set(TargetKeyId, [...(found.get(TargetKeyId) ?? []), AliasName]);
    }
    marker = answer.NextMarker;
  } while (marker !== undefined);
  return found;
}

export interface KeyUsers {
  /** Names of repositories by the ARN of their key. */
  byKey: ReadonlyMap<string, readonly string[]>;
  /** Whether there are more repositories than were looked through. */
  isPartial: boolean;
}

/** Who uses which key: the first 10,000 repositories are looked through. */
export async function keyUsers(): Promise<KeyUsers> {
  const isEncrypted = ({ encryptionConfiguration: encryption }: { encryptionConfiguration?: { kmsKey?: string | undefined } | undefined }) =>
    encryption?.kmsKey !== undefined;
  const { items, nextToken } = await findInPages(listRepositories, isEncrypted, undefined, Infinity);
  const byKey = new Map<string, string[]>();
  for (const { repositoryName = "", encryptionConfiguration } of items) {
    const key = encryptionConfiguration?.kmsKey ?? "";
    byKey.set(key, [...(byKey.get(key) ?? []), repositoryName]);
  }
  return { byKey, isPartial: nextToken !== undefined };
}

export const getKeyPolicy = async (id: string): Promise<string> =>
  (await kms<{ Policy: string }>("GetKeyPolicy", { KeyId: id, PolicyName: "default" })).Policy;
