import { describe, expect, it } from "vitest";
import { isRepositoryPattern, repositoryNames, template } from "./templates";

const registry = { partition: "aws", region: "eu-central-1", account: "123456789012" };
const arn = (name: string) => `arn:aws:ecr:eu-central-1:123456789012:repository/${name}`;

describe("policy templates", () => {
  it("has three statements for push and pull", () => {
    expect(template("pushAndPull", ["app"], registry)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "ListImagesInRepository",
          Effect: "Allow",
          Action: ["ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"],
          Resource: arn("app"),
        },
        { Sid: "LogIn", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
        {
          Sid: "ManageRepositoryContents",
          Effect: "Allow",
          Action: [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
            "ecr:CompleteLayerUpload",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
          ],
          Resource: arn("app"),
        },
      ],
    });
  });

  it("does not push where it only pulls", () => {
    const text = JSON.stringify(template("pullOnly", ["web", "my-app-*"], registry));
    expect(text).toContain(arn("my-app-*"));
    expect(text).not.toMatch(/PutImage|Upload/);
  });

  it("reads several names and patterns, each once", () => {
    expect(repositoryNames(" web, team/api\nmy-app-* web ")).toEqual(["web", "team/api", "my-app-*"]);
    expect(["web", "team/api", "my-app-*", "*"].every(isRepositoryPattern)).toBe(true);
    expect(["Web", "a b", "/x", "", "a:b", "${x}"].some(isRepositoryPattern)).toBe(false);
  });
});
