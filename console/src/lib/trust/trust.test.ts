import { describe, expect, it } from "vitest";
import { decodeDocument, sameDocument } from "./document";
import { emptyEntity, principalArn, recognize, trustPolicy, type TrustedEntity } from "./entity";
import { emptyIssuer, issuerKind, issuerOf, subject, type Issuer } from "./issuers";
import { fieldProblems, requiredKeys, warnings } from "./review";

const ACCOUNT = "123456789012";
const GITHUB = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`;
const CLUSTER = `arn:aws:iam::${ACCOUNT}:oidc-provider/k8s.example.com:6443`;

function github(issuer: Partial<Extract<Issuer, { kind: "github" }>>): TrustedEntity {
  return {
    kind: "webIdentity",
    provider: GITHUB,
    audience: "sts.amazonaws.com",
    issuer: {
      kind: "github",
      organization: "octo-org",
      repository: "app",
      scope: "branch",
      ref: "main",
      ...issuer,
    },
  };
}

describe("trust policy", () => {
  it("trusts a service", () => {
    expect(JSON.parse(trustPolicy(emptyEntity("service")))).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
      ],
    });
  });

  it("trusts an account with an external id and MFA", () => {
    const entity: TrustedEntity = {
      kind: "account",
      principals: ["999988887777"],
      externalId: "e-1",
      mfa: true,
    };
    expect(JSON.parse(trustPolicy(entity))).toMatchObject({
      Statement: [
        {
          Principal: { AWS: "arn:aws:iam::999988887777:root" },
          Condition: {
            StringEquals: { "sts:ExternalId": "e-1" },
            Bool: { "aws:MultiFactorAuthPresent": "true" },
          },
        },
      ],
    });
    expect(principalArn("999988887777", "aws-cn")).toBe("arn:aws-cn:iam::999988887777:root");
  });

  it("compares an exact subject with StringEquals and a pattern with StringLike", () => {
    const key = "token.actions.githubusercontent.com";
    expect(JSON.parse(trustPolicy(github({})))).toMatchObject({
      Statement: [
        {
          Action: "sts:AssumeRoleWithWebIdentity",
          Principal: { Federated: GITHUB },
          Condition: {
            StringEquals: {
              [`${key}:aud`]: "sts.amazonaws.com",
              [`${key}:sub`]: "repo:octo-org/app:ref:refs/heads/main",
            },
          },
        },
      ],
    });
    expect(JSON.parse(trustPolicy(github({ scope: "any" })))).toMatchObject({
      Statement: [{ Condition: { StringLike: { [`${key}:sub`]: "repo:octo-org/app:*" } } }],
    });
  });

  it("lets a SAML session carry tags", () => {
    const entity: TrustedEntity = {
      kind: "saml",
      provider: `arn:aws:iam::${ACCOUNT}:saml-provider/corp`,
      audience: "https://signin.aws.amazon.com/saml",
      tagSession: true,
    };
    expect(JSON.parse(trustPolicy(entity))).toMatchObject({
      Statement: [
        {
          Action: ["sts:AssumeRoleWithSAML", "sts:TagSession"],
          Condition: { StringEquals: { "SAML:aud": "https://signin.aws.amazon.com/saml" } },
        },
      ],
    });
  });
});

describe("subject of each issuer", () => {
  const cases: readonly (readonly [Issuer, string])[] = [
    [
      { kind: "github", organization: "o", repository: "", scope: "any", ref: "" },
      "repo:o/*:*",
    ],
    [
      { kind: "github", organization: "o", repository: "r", scope: "tag", ref: "v*" },
      "repo:o/r:ref:refs/tags/v*",
    ],
    [
      { kind: "github", organization: "o", repository: "r", scope: "environment", ref: "prod" },
      "repo:o/r:environment:prod",
    ],
    [
      { kind: "github", organization: "o", repository: "r", scope: "pullRequest", ref: "" },
      "repo:o/r:pull_request",
    ],
    [
      { kind: "gitlab", group: "g/sub", project: "p", scope: "branch", ref: "main" },
      "project_path:g/sub/p:ref_type:branch:ref:main",
    ],
    [{ kind: "gitlab", group: "g", project: "", scope: "any", ref: "" }, "project_path:g/*:*"],
    [{ kind: "circleci", organization: "o-1", project: "" }, "org/o-1/project/*/user/*"],
    [
      { kind: "buildkite", organization: "acme", pipeline: "app", branch: "main" },
      "organization:acme:pipeline:app:ref:refs/heads/main:*",
    ],
    [
      { kind: "buildkite", organization: "acme", pipeline: "", branch: "" },
      "organization:acme:pipeline:*:*",
    ],
    [
      { kind: "kubernetes", namespace: "ci", serviceAccount: "builder" },
      "system:serviceaccount:ci:builder",
    ],
    [{ kind: "other", subject: "https://jenkins.example.com/job/app/" }, "https://jenkins.example.com/job/app/"],
  ];

  it.each(cases)("writes and reads %j", (issuer, text) => {
    expect(subject(issuer)).toBe(text);
    expect(issuerOf(issuer.kind, text)).toEqual(issuer);
  });

  it("is empty while the owner is not named", () => {
    for (const kind of ["github", "gitlab", "circleci", "buildkite", "kubernetes", "other"] as const) {
      expect(subject(emptyIssuer(kind))).toBe("");
    }
  });

  it("keeps a subject that no form gives", () => {
    expect(issuerOf("github", "repo:o/r:job_workflow_ref:x")).toEqual({
      kind: "other",
      subject: "repo:o/r:job_workflow_ref:x",
    });
  });

  it("tells the issuer by its URL", () => {
    expect(issuerKind("token.actions.githubusercontent.com/octo-enterprise")).toBe("github");
    expect(issuerKind("gitlab.com")).toBe("gitlab");
    expect(issuerKind("gitlab.example.com")).toBe("gitlab");
    expect(issuerKind("oidc.circleci.com/org/o-1")).toBe("circleci");
    expect(emptyIssuer("circleci", "oidc.circleci.com/org/o-1")).toMatchObject({ organization: "o-1" });
    expect(issuerKind("agent.buildkite.com")).toBe("buildkite");
    expect(issuerKind("k8s.example.com:6443")).toBe("kubernetes");
    expect(issuerKind("login.example.com")).toBe("other");
  });
});

describe("reader of trust policies", () => {
  const entities: readonly TrustedEntity[] = [
    emptyEntity("service"),
    { kind: "account", principals: [`arn:aws:iam::${ACCOUNT}:user/circleci`], externalId: "", mfa: false },
    { kind: "account", principals: ["arn:aws:iam::999988887777:root"], externalId: "x", mfa: true },
    github({}),
    github({ scope: "any", repository: "", ref: "" }),
    {
      kind: "webIdentity",
      provider: CLUSTER,
      audience: "sts.amazonaws.com",
      issuer: { kind: "kubernetes", namespace: "ci", serviceAccount: "" },
    },
    {
      kind: "saml",
      provider: `arn:aws:iam::${ACCOUNT}:saml-provider/corp`,
      audience: "https://signin.aws.amazon.com/saml",
      tagSession: false,
    },
  ];

  it.each(entities)("reads back what the wizard wrote: %j", (entity) => {
    expect(recognize(trustPolicy(entity))).toEqual(entity);
  });

  it("keeps a document that says more as custom", () => {
    const more = JSON.parse(trustPolicy(emptyEntity("service"))) as { Statement: object[] };
    const condition = { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } };
    const text = JSON.stringify({ ...more, Statement: [{ ...more.Statement[0], Condition: condition }] });
    expect(recognize(text)).toEqual({ kind: "custom", document: text });
    const two = JSON.stringify({ ...more, Statement: [more.Statement[0], more.Statement[0]] });
    expect(recognize(two).kind).toBe("custom");
    const deny = trustPolicy(emptyEntity("service")).replace("Allow", "Deny");
    expect(recognize(deny).kind).toBe("custom");
    expect(recognize("no JSON").kind).toBe("custom");
  });

  it("recognises lists of one and another order", () => {
    const text = JSON.stringify({
      Statement: { Action: ["sts:AssumeRole"], Principal: { Service: ["ec2.amazonaws.com"] }, Effect: "Allow" },
      Version: "2012-10-17",
    });
    expect(recognize(text)).toEqual(emptyEntity("service"));
    expect(sameDocument({ a: ["x", "y"] }, { a: ["y", "x"] })).toBe(true);
    expect(sameDocument({ a: "x" }, { a: "y" })).toBe(false);
  });

  it("decodes the documents of IAM's answers", () => {
    expect(decodeDocument("%7B%22Version%22%3A%222012-10-17%22%7D")).toBe('{"Version":"2012-10-17"}');
    expect(decodeDocument("100%")).toBe("100%");
  });
});

describe("warnings", () => {
  const kinds = (text: string) => warnings(text, ACCOUNT).map((warning) => warning.kind);

  it("says that a shared issuer without a subject is refused", () => {
    const open: TrustedEntity = { ...github({}), issuer: emptyIssuer("github") } as TrustedEntity;
    expect(kinds(trustPolicy(open))).toEqual(["sharedIssuerRefused"]);
    expect(kinds(trustPolicy(github({})))).toEqual([]);
    expect(requiredKeys("gitlab.com")).toEqual(["gitlab.com:sub"]);
    expect(requiredKeys("gitlab.example.com")).toBeUndefined();
  });

  it("says that an issuer of one's own without a subject is open", () => {
    const open: TrustedEntity = {
      kind: "webIdentity",
      provider: CLUSTER,
      audience: "",
      issuer: emptyIssuer("kubernetes"),
    };
    expect(kinds(trustPolicy(open))).toEqual(["openSubject", "missingAudience"]);
  });

  it("does not take a wildcard alone for a restriction", () => {
    const text = trustPolicy(github({ scope: "any" })).replace("repo:octo-org/app:*", "**");
    expect(kinds(text)).toEqual(["sharedIssuerRefused"]);
  });

  it("warns of a wildcard in the organization, which trusts its namesakes", () => {
    const text = trustPolicy(github({ scope: "any" })).replace("repo:octo-org/app:*", "repo:octo*/app:*");
    expect(kinds(text)).toEqual(["wildcardOrganization"]);
  });

  it("asks a third party for an external id", () => {
    const third = (externalId: string): TrustedEntity => ({
      kind: "account",
      principals: ["999988887777"],
      externalId,
      mfa: false,
    });
    expect(kinds(trustPolicy(third("")))).toEqual(["missingExternalId"]);
    expect(kinds(trustPolicy(third("e-1")))).toEqual([]);
    const own: TrustedEntity = { kind: "account", principals: [ACCOUNT], externalId: "", mfa: false };
    expect(kinds(trustPolicy(own))).toEqual([]);
  });

  it("sees a role that everybody may assume", () => {
    const everyone = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}';
    expect(warnings(everyone, ACCOUNT)).toEqual([{ kind: "everyone", severity: "danger", about: "*" }]);
  });
});

describe("answers of the form", () => {
  const fields = (entity: TrustedEntity) => fieldProblems(entity).map(({ field, kind }) => `${field}:${kind}`);

  it("asks for what is missing", () => {
    expect(fields(emptyEntity("account"))).toEqual(["principals:missing"]);
    expect(fields(emptyEntity("webIdentity"))).toEqual([
      "provider:missing",
      "audience:missing",
      "organization:missing",
    ]);
    expect(fields(emptyEntity("saml"))).toEqual(["provider:missing"]);
    expect(fields({ kind: "custom", document: "{" })).toEqual(["document:notJson"]);
    expect(fields(github({}))).toEqual([]);
  });

  it("refuses answers that would leave their part of the claim", () => {
    expect(fields(github({ organization: "octo*" }))).toEqual(["organization:characters"]);
    expect(fields(github({ repository: "app:ref:x" }))).toEqual(["repository:characters"]);
    expect(fields(github({ ref: "${aws:username}" }))).toEqual(["ref:characters"]);
    expect(fields(github({ ref: "feature/*" }))).toEqual([]);
    expect(fields({ kind: "service", services: ["EC2"] })).toEqual(["services:characters"]);
    expect(fields({ kind: "account", principals: ["bob"], externalId: "a b", mfa: false })).toEqual([
      "principals:characters",
      "externalId:characters",
    ]);
  });
});
