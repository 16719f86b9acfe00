import { expect, test } from "vitest";
import { foundImages } from "./found-images";

test("offers images by tag or digest, with what matched", () => {
  const imageDigest = `sha256:${"ab".repeat(32)}`;
  const offered = foundImages([
    { matchType: "REPOSITORY", repositoryName: "app" },
    { matchType: "TAG", repositoryName: "app", imageDigest, imageTag: "v1" },
    { matchType: "LABEL", repositoryName: "app", imageDigest, matchedText: "team=blue" },
  ]);
  expect(offered.map(({ label, description }) => [label, description])).toEqual([
    ["app:v1", undefined],
    ["app@sha256:abababababab", "team=blue"],
  ]);
});
