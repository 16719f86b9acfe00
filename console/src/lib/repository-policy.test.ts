import { expect, test } from "vitest";
import { policyChanges, readPolicy, writePolicy, type FormStatement } from "./repository-policy";

const DOCUMENT = {
  Version: "2012-10-17",
  Id: "kept",
  Statement: [
    {
      Sid: "pull",
      Effect: "Allow",
      Principal: {
        AWS: ["arn:aws:iam::444455556666:root", "arn:aws:iam::123456789012:role/deploy"],
        Service: "codebuild.amazonaws.com",
      },
      Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } },
    },
    { Effect: "Deny", NotPrincipal: { AWS: "123456789012" }, NotAction: "ecr:Get*" },
  ],
};

function read(document: unknown): FormStatement[] {
  const statements = readPolicy(JSON.stringify(document));
  if (!Array.isArray(statements)) throw new Error(statements.error);
  return statements;
}

test("reads each kind of principal", () => {
  expect(read(DOCUMENT)[0]).toMatchObject({
    sid: "pull",
    everyone: false,
    services: ["codebuild.amazonaws.com"],
    accounts: ["444455556666"],
    entities: ["arn:aws:iam::123456789012:role/deploy"],
  });
  expect(read({ Statement: { Principal: { AWS: "*" } } })[0]?.everyone).toBe(true);
  expect(read({ Statement: { Principal: "*" } })[0]?.everyone).toBe(true);
});

test("writes the document that it read", () => {
  expect(JSON.parse(writePolicy(JSON.stringify(DOCUMENT), read(DOCUMENT), "aws"))).toEqual(DOCUMENT);
});

test("keeps what the form does not show", () => {
  const federated = { Statement: [{ Effect: "Allow", Principal: { Federated: "x" }, Action: "ecr:*" }] };
  expect(JSON.parse(writePolicy(JSON.stringify(federated), read(federated), "aws"))).toEqual(federated);
});

test("says why a text is no policy", () => {
  expect(readPolicy("{")).toHaveProperty("error");
  expect(readPolicy("[]")).toHaveProperty("error");
  expect(readPolicy('{"Statement":[1]}')).toHaveProperty("error");
  expect(readPolicy("")).toEqual([]);
});

test("lists who can do what before and after", () => {
  const before = read({ Statement: [{ Effect: "Allow", Principal: "*", Action: ["ecr:ListImages", "ecr:PutImage"] }] });
  const after = read({ Statement: [{ Effect: "Allow", Principal: "*", Action: ["ECR:listimages", "ecr:TagResource"] }] });
  expect(policyChanges(before, after)).toEqual([
    { kind: "removed", effect: "Allow", principal: "*", action: "ecr:PutImage", isConditional: false },
    { kind: "added", effect: "Allow", principal: "*", action: "ecr:TagResource", isConditional: false },
  ]);
});

test("a condition that changes is another grant", () => {
  const grant = { Effect: "Allow", Principal: "*", Action: "ecr:ListImages" };
  const conditional = { ...grant, Condition: { Bool: { "aws:SecureTransport": "true" } } };
  expect(policyChanges(read({ Statement: grant }), read({ Statement: conditional }))).toHaveLength(2);
});
