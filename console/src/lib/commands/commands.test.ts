import { expect, test } from "vitest";
import { awsCli, shellWord } from "./awsCli";
import { boto3, python } from "./boto3";
import { words, type Change } from "./change";
import { label, quoted, terraform } from "./terraform";

const ENDPOINT = "https://registry.example.com";
const create: Change = {
  service: "ecr",
  operation: "CreateRepository",
  input: {
    repositoryName: "team/app",
    imageTagMutability: "IMMUTABLE",
    imageScanningConfiguration: { scanOnPush: true },
    tags: [{ Key: "owner", Value: "it's" }],
    registryId: undefined,
  },
};

test("names options as the AWS CLI does", () => {
  for (const [name, option] of [
    ["repositoryName", "repository-name"],
    ["CreateOpenIDConnectProvider", "create-open-id-connect-provider"],
    ["PolicyArn", "policy-arn"],
    ["SAMLMetadataDocument", "saml-metadata-document"],
    ["ContextKeyARNs", "context-key-arns"],
    ["EnableMFADevice", "enable-mfa-device"],
  ] as const) {
    expect(words(name, "-")).toBe(option);
  }
});

test("writes a command of the AWS CLI", () => {
  expect(awsCli([create], ENDPOINT)).toBe(
    [
      "aws ecr create-repository \\",
      "  --repository-name team/app \\",
      "  --image-tag-mutability IMMUTABLE \\",
      `  --image-scanning-configuration '{"scanOnPush":true}' \\`,
      `  --tags '[{"Key":"owner","Value":"it'\\''s"}]' \\`,
      "  --endpoint-url https://registry.example.com",
      "",
    ].join("\n"),
  );
});

test("quotes what a shell would run", () => {
  expect(shellWord("$(reboot)")).toBe("'$(reboot)'");
  expect(shellWord("a'; reboot; '")).toBe(`'a'\\''; reboot; '\\'''`);
  expect(shellWord("line\nbreak")).toBe("'line\nbreak'");
  expect(shellWord("")).toBe("''");
  const dashed: Change = { service: "iam", operation: "CreateUser", input: { UserName: "-x", Force: false } };
  expect(awsCli([dashed], ENDPOINT)).toContain("--user-name=-x");
  expect(awsCli([dashed], ENDPOINT)).toContain("--no-force");
});

test("writes a program with boto3", () => {
  expect(boto3([create], ENDPOINT)).toBe(
    [
      "import boto3",
      "",
      'ecr = boto3.client("ecr", endpoint_url="https://registry.example.com")',
      "ecr.create_repository(",
      '    repositoryName="team/app",',
      '    imageTagMutability="IMMUTABLE",',
      '    imageScanningConfiguration={"scanOnPush": True},',
      "    tags=[",
      '        {"Key": "owner", "Value": "it\'s"},',
      "    ],",
      ")",
      "",
    ].join("\n"),
  );
  expect(python(null)).toBe("None");
});

test("leaves secrets out", () => {
  const change: Change = {
    service: "iam",
    operation: "CreateLoginProfile",
    input: { UserName: "alice", Password: "hunter2" },
    secrets: ["Password"],
  };
  for (const text of [awsCli([change], ENDPOINT), boto3([change], ENDPOINT)]) {
    expect(text).not.toContain("hunter2");
    expect(text).toContain("PASSWORD");
  }
});

test("writes Terraform's language without templates", () => {
  const text = terraform([
    {
      head: ["resource", "aws_ecr_repository", label("team/app")],
      attributes: { name: "team/app", tags: { "a b": "${file(1)}" }, force_delete: undefined },
      blocks: [{ head: ["image_scanning_configuration"], attributes: { scan_on_push: true } }],
    },
  ]);
  expect(text).toBe(
    [
      'resource "aws_ecr_repository" "team_app" {',
      '  name = "team/app"',
      "  tags = {",
      '    "a b" = "$${file(1)}"',
      "  }",
      "",
      "  image_scanning_configuration {",
      "    scan_on_push = true",
      "  }",
      "}",
      "",
    ].join("\n"),
  );
  expect(quoted("%{if}")).toBe('"%%{if}"');
  expect(label("1-app")).toBe("_1-app");
});
