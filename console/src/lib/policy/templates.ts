// Policies for what people do with a registry most: the three statements of ECR's guides (ECR User Guide,
// "Amazon ECR identity-based policy examples"), pull only, and all of a registry.

export const TEMPLATES = ["pushAndPull", "pullOnly", "administer"] as const;
export type TemplateKind = (typeof TEMPLATES)[number];

export interface Registry {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

const LOOK = ["ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:ListImages"];
const PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const PUSH = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"];

/** The names that a person typed, with commas, spaces or line breaks between. */
export function repositoryNames(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((name) => name !== ""))];
}

/** A repository's name or a pattern of names: `*` and `?` stand for characters, `/` included. */
export function isRepositoryPattern(name: string): boolean {
  return name.length <= 256 && /^[a-z0-9*?][a-z0-9*?._/-]*$/.test(name);
}

export function repositoryArn(registry: Registry, name: string): string {
  return `arn:${registry.partition}:ecr:${registry.region}:${registry.account}:repository/${name}`;
}

/** The statements of a template. */
export function statementsOf(kind: TemplateKind, names: readonly string[], registry: Registry): Record<string, unknown>[] {
  const arns = names.map((name) => repositoryArn(registry, name));
  const Resource = arns.length === 1 ? arns[0] : arns;
  // It belongs to no repository (Service Authorization Reference, Amazon ECR).
  const logIn = { Sid: "LogIn", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" };
  const look = { Sid: "ListImagesInRepository", Effect: "Allow", Action: LOOK, Resource };
  const last = {
    pushAndPull: { Sid: "ManageRepositoryContents", Effect: "Allow", Action: [...PULL, ...PUSH], Resource },
    pullOnly: { Sid: "PullImages", Effect: "Allow", Action: PULL, Resource },
    administer: { Sid: "ManageRepository", Effect: "Allow", Action: "ecr:*", Resource },
  }[kind];
  return kind === "administer" ? [logIn, last] : [look, logIn, last];
}

export function template(kind: TemplateKind, names: readonly string[], registry: Registry): object {
  return { Version: "2012-10-17", Statement: statementsOf(kind, names, registry) };
}

export function templateText(kind: TemplateKind, names: readonly string[], registry: Registry): string {
  return JSON.stringify(template(kind, names, registry), undefined, 2);
}
