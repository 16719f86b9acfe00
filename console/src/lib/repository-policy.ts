/**
 * A repository's policy as the statements of the form, and back. What the form has no field for stays in the statement
 * as it is, so that the form and the JSON are one document.
 */

export interface FormStatement {
  sid: string;
  effect: "Allow" | "Deny";
  everyone: boolean;
  services: string[];
  /** Account ids. */
  accounts: string[];
  /** ARNs of users, roles and sessions. */
  entities: string[];
  actions: string[];
  /** Elements that the form does not show: conditions, federated principals, `NotAction` and the like. */
  rest: Record<string, unknown>;
}

type Members = Record<string, unknown>;

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const texts = (value: unknown): string[] => list(value).filter((item) => typeof item === "string");

// Whatever stands for the account, so that one that is being typed stays in its field.
const ROOT = /^arn:[^:]+:iam::([^:]+):root$/;
const ACCOUNT = /^\d{12}$/;

function readStatement(statement: Members): FormStatement {
  const { Sid, Effect, Principal, Action, ...rest } = statement;
  const principals = isMembers(Principal) ? Principal : {};
  const { AWS, Service, ...others } = principals;
  const named = texts(AWS);
  const accounts = named.flatMap((name) => ROOT.exec(name)?.[1] ?? (ACCOUNT.test(name) ? name : []));
  return {
    sid: typeof Sid === "string" ? Sid : "",
    effect: Effect === "Deny" ? "Deny" : "Allow",
    everyone: Principal === "*" || named.includes("*"),
    services: texts(Service),
    accounts: [...new Set(accounts)],
    entities: named.filter((name) => name !== "*" && !ROOT.test(name) && !ACCOUNT.test(name)),
    actions: texts(Action),
    rest: Object.keys(others).length > 0 ? { ...rest, Principal: others } : rest,
  };
}

/** The statements of a document; a message for what is none. */
export function readPolicy(text: string): FormStatement[] | { error: string } {
  if (text.trim() === "") return [];
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
  const statements = isMembers(document) ? list(document["Statement"]) : [];
  if (!statements.every(isMembers)) return { error: "Statement must be an object or a list of objects" };
  return isMembers(document) ? statements.map(readStatement) : { error: "a policy is a JSON object" };
}

const short = (values: string[]): string | string[] => (values.length === 1 && values[0] !== undefined ? values[0] : values);

function writePrincipal(statement: FormStatement, partition: string): unknown {
  const others = isMembers(statement.rest["Principal"]) ? statement.rest["Principal"] : {};
  const accounts = statement.accounts.map((account) => `arn:${partition}:iam::${account}:root`);
  const named = [...accounts, ...statement.entities];
  if (statement.everyone && statement.services.length === 0 && Object.keys(others).length === 0) return "*";
  if (statement.everyone) named.unshift("*");
  return {
    ...(named.length > 0 ? { AWS: short(named) } : {}),
    ...(statement.services.length > 0 ? { Service: short(statement.services) } : {}),
    ...others,
  };
}

function writeStatement(statement: FormStatement, partition: string): Members {
  const rest = { ...statement.rest };
  delete rest["Principal"];
  const hasPrincipal = !("NotPrincipal" in rest);
  return {
    ...(statement.sid === "" ? {} : { Sid: statement.sid }),
    Effect: statement.effect,
    ...(hasPrincipal ? { Principal: writePrincipal(statement, partition) } : {}),
    ...(statement.actions.length > 0 ? { Action: short(statement.actions) } : {}),
    ...rest,
  };
}

/** The document with these statements; other elements of the document stay. */
export function writePolicy(before: string, statements: FormStatement[], partition: string): string {
  let document: unknown;
  try {
    document = JSON.parse(before);
  } catch {
    document = undefined;
  }
  const kept = isMembers(document) ? document : { Version: "2012-10-17" };
  const Statement = statements.map((statement) => writeStatement(statement, partition));
  return JSON.stringify({ ...kept, Statement }, undefined, 2);
}

export interface PolicyChange {
  kind: "added" | "removed";
  effect: string;
  principal: string;
  action: string;
  isConditional: boolean;
}

/** More changes than this are not listed one by one. */
const CHANGES_MAX = 200;

function grants(statements: FormStatement[]): Map<string, Omit<PolicyChange, "kind">> {
  const found = new Map<string, Omit<PolicyChange, "kind">>();
  for (const statement of statements) {
    const { Principal: others, ...rest } = statement.rest;
    const principals = [
      ...(statement.everyone ? ["*"] : []),
      ...statement.services,
      ...statement.accounts,
      ...statement.entities,
      ...(others === undefined ? [] : [JSON.stringify(others)]),
      ...("NotPrincipal" in rest ? [`not ${JSON.stringify(rest["NotPrincipal"])}`] : []),
    ];
    const actions = [
      ...statement.actions,
      ...("NotAction" in rest ? [`not ${JSON.stringify(rest["NotAction"])}`] : []),
    ];
    const condition = JSON.stringify(rest["Condition"] ?? null);
    for (const principal of principals) {
      for (const action of actions) {
        // Names of actions have no letter case.
        const key = JSON.stringify([statement.effect, principal, action.toLowerCase(), condition]);
        found.set(key, { effect: statement.effect, principal, action, isConditional: condition !== "null" });
      }
    }
  }
  return found;
}

/** Who may do what by one document and not by the other. */
export function policyChanges(before: FormStatement[], after: FormStatement[]): PolicyChange[] {
  const old = grants(before);
  const now = grants(after);
  const changes: PolicyChange[] = [];
  for (const [key, grant] of old) if (!now.has(key)) changes.push({ kind: "removed", ...grant });
  for (const [key, grant] of now) if (!old.has(key)) changes.push({ kind: "added", ...grant });
  return changes.slice(0, CHANGES_MAX);
}

/** The actions of a repository policy, grouped as read, write and manage (ECR User Guide, repository policies). */
export const REPOSITORY_ACTIONS: { group: "read" | "write" | "manage"; actions: string[] }[] = [
  {
    group: "read",
    actions: [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:DescribeImages",
      "ecr:DescribeRepositories",
      "ecr:GetDownloadUrlForLayer",
      "ecr:GetRepositoryPolicy",
      "ecr:ListImages",
      "ecr:ListTagsForResource",
    ],
  },
  {
    group: "write",
    actions: ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"],
  },
  {
    group: "manage",
    actions: [
      "ecr:BatchDeleteImage",
      "ecr:DeleteRepository",
      "ecr:DeleteRepositoryPolicy",
      "ecr:PutImageScanningConfiguration",
      "ecr:PutImageTagMutability",
      "ecr:SetRepositoryPolicy",
      "ecr:TagResource",
      "ecr:UntagResource",
    ],
  },
];
