/** One page of images as a tree: platforms under their index, referrers under their subject. */

import { readManifest } from "./manifest";

export interface ImageLike {
  imageDigest?: string | undefined;
  imageTags?: string[] | undefined;
  subjectManifestDigest?: string | undefined;
}

export interface ImageNode<T> {
  image: T;
  digest: string;
  platform: string | undefined;
  children: ImageNode<T>[];
}

/**
 * The tree of a page. `manifests` holds those that were read, by digest; an image whose index or subject is on another
 * page stays where it is.
 */
export function imageTree<T extends ImageLike>(images: T[], manifests: Map<string, string>): ImageNode<T>[] {
  const nodes = new Map<string, ImageNode<T>>();
  for (const image of images) {
    const digest = image.imageDigest ?? "";
    nodes.set(digest, { image, digest, platform: undefined, children: [] });
  }
  const placed = new Set<string>();
  const place = (node: ImageNode<T> | undefined, parent: ImageNode<T> | undefined, platform: string | undefined) => {
    // A tagged image keeps a row of its own, and nobody is placed twice or below itself.
    if (node === undefined || parent === undefined || placed.has(node.digest)) return;
    if ((node.image.imageTags?.length ?? 0) > 0 || isAbove(node, parent)) return;
    placed.add(node.digest);
    parent.children.push({ ...node, platform });
  };
  for (const [digest, json] of manifests) {
    const manifest = readManifest(json);
    for (const child of manifest?.children ?? []) place(nodes.get(child.digest), nodes.get(digest), child.platform);
  }
  for (const node of nodes.values()) {
    place(node, nodes.get(node.image.subjectManifestDigest ?? ""), undefined);
  }
  return [...nodes.values()].filter((node) => !placed.has(node.digest));
}

function isAbove<T>(node: ImageNode<T>, other: ImageNode<T>): boolean {
  return node.digest === other.digest || node.children.some((child) => isAbove(child, other));
}
