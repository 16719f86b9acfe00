import { describe, expect, it } from "vitest";
import { awsCli } from "./commands/awsCli";
import { deletionOfRepository, deletionsOfImages } from "./repository-changes";

const DIGESTS = Array.from({ length: 101 }, (_, number) => `sha256:${String(number).padStart(64, "0")}`);

describe("deletions", () => {
  it("are of at most 100 images a call", () => {
    const sizes = deletionsOfImages("app", DIGESTS).map(({ input }) => (input["imageIds"] as unknown[]).length);
    expect(sizes).toEqual([100, 1]);
    expect(deletionsOfImages("app", [])).toEqual([]);
  });

  it("are commands", () => {
    const text = awsCli([...deletionsOfImages("app", DIGESTS.slice(0, 1)), deletionOfRepository("app", true)], "http://a");
    expect(text).toContain(`--image-ids '[{"imageDigest":"${DIGESTS[0]}"}]'`);
    expect(text).toContain("aws ecr delete-repository \\\n  --repository-name app \\\n  --force");
  });

  it("leave a repository that has images, unless they are said to go", () => {
    expect(deletionOfRepository("app", false).input).toEqual({ repositoryName: "app" });
  });
});
