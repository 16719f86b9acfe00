import { expect, test } from "vitest";
import { imageTree, type ImageLike, type ImageNode } from "./image-tree";

const shape = (nodes: ImageNode<ImageLike>[]): unknown => nodes.map((node) => [node.digest, shape(node.children)]);
const index = (...digests: string[]) =>
  JSON.stringify({ manifests: digests.map((digest) => ({ digest, platform: { os: "linux", architecture: "amd64" } })) });

test("puts platforms under their index and referrers under their subject", () => {
  const images = [
    { imageDigest: "child" },
    { imageDigest: "index", imageTags: ["v1"] },
    { imageDigest: "signature", subjectManifestDigest: "index" },
    { imageDigest: "other" },
  ];
  const tree = imageTree(images, new Map([["index", index("child", "elsewhere")]]));
  expect(shape(tree)).toEqual([
    ["index", [["child", []], ["signature", []]]],
    ["other", []],
  ]);
  expect(tree[0]?.children[0]?.platform).toBe("linux/amd64");
});

test("a tagged platform keeps its row", () => {
  const images = [{ imageDigest: "child", imageTags: ["amd64"] }, { imageDigest: "index" }];
  expect(imageTree(images, new Map([["index", index("child")]]))).toHaveLength(2);
});

test("loses nothing to manifests that name each other or themselves", () => {
  const images = [{ imageDigest: "a" }, { imageDigest: "b" }, { imageDigest: "c", subjectManifestDigest: "c" }];
  const tree = imageTree(
    images,
    new Map([
      ["a", index("b", "a")],
      ["b", index("a")],
    ]),
  );
  const count = (nodes: ImageNode<ImageLike>[]): number =>
    nodes.reduce((sum, node) => sum + 1 + count(node.children), 0);
  expect(count(tree)).toBe(3);
});
