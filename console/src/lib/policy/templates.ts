/** Policies to begin with: for pushes and pulls, as the documents that people follow have them. */

const LOGIN = { Sid: "Login", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" };

const PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

const PUSH = [
  "ecr:CompleteLayerUpload",
  "ecr:InitiateLayerUpload",
  "ecr:PutImage",
  "ecr:UploadLayerPart",
];

export type TemplateName = "pushPull" | "pullOnly" | "trust";

const document = (statements: object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 2);

const oneOrMany = (values: readonly string[]): string | readonly string[] =>
  values.length === 1 && values[0] !== undefined ? values[0] : values;

/** The ARN of a repository, or of several by a pattern such as `my-app-*`. */
export const repositoryArn = (partition: string, region: string, account: string, name: string): string =>
  `arn:${partition}:ecr:${region}:${account}:repository/${name}`;

/** Login, push and pull in three statements. */
export const pushAndPull = (repositories: readonly string[]): string =>
  document([
    LOGIN,
    { Sid: "Pull", Effect: "Allow", Action: PULL, Resource: oneOrMany(repositories) },
    { Sid: "Push", Effect: "Allow", Action: PUSH, Resource: oneOrMany(repositories) },
  ]);

/** Login and pull, for deployments. */
export const pullOnly = (repositories: readonly string[]): string =>
  document([LOGIN, { Sid: "Pull", Effect: "Allow", Action: PULL, Resource: oneOrMany(repositories) }]);

/** A repository's policy that lets principals pull, or push as well. */
export const repositoryPolicy = (principals: readonly string[], push: boolean): string =>
  document([
    {
      Sid: push ? "PushAndPull" : "Pull",
      Effect: "Allow",
      Principal: { AWS: oneOrMany(principals) },
      Action: push ? [...PULL, ...PUSH] : PULL,
    },
  ]);
