import type { FieldProblem, TrustWarning } from "../lib/trust/review";

export const roles = {
  title: "Roles",
  description: "Permissions that somebody takes on for a while: CI jobs, hosts, other accounts, people of a company.",
  what: "roles",
  create: "Create role",
  name: "Role name",
  trusted: "Trusted entity",
  duration: "Maximum session duration",
  durationHint: (duration: string) => `Seconds, 3600 to 43200.${duration === "" ? "" : ` That is ${duration}.`}`,
  made: (name: string) => `The role ${name} is created.`,
  partly: "The role is created, but a later step failed. Open it to finish.",
  toRole: "Open the role",
  steps: {
    entity: "Select trusted entity",
    permissions: "Add permissions",
    review: "Name and review",
  },
  wizard: {
    next: "Next",
    previous: "Previous",
    cancel: "Cancel",
    submit: "Create role",
    step: (at: number) => `Step ${at}`,
    collapsed: (at: number, of: number) => `Step ${at} of ${of}`,
    navigation: "Steps",
  },
  kinds: {
    service: "AWS service",
    account: "AWS account",
    webIdentity: "Web identity",
    saml: "SAML 2.0 federation",
    custom: "Custom trust policy",
  },
  kindHints: {
    service: "Hosts that joined with an instance profile, as EC2 instances do.",
    account: "Users and roles of this account or of another one.",
    webIdentity: "CI jobs and pods with a token of an OpenID Connect provider.",
    saml: "People of a company's identity provider.",
    custom: "A trust policy that you write.",
  },
  service: {
    label: "Service",
    hint: "A profile with the role's name is created, so that hosts can be invited to it.",
  },
  account: {
    label: "Accounts, users and roles",
    hint: "Account ids or ARNs, with commas between.",
    own: (id: string) => `This account is ${id}.`,
    externalId: "External ID",
    externalIdHint: "A text that the third party must send, so that it cannot be tricked into using the role for somebody else.",
    mfa: "Require MFA",
    mfaHint: "The role can be assumed only with a code of an MFA device.",
  },
  web: {
    provider: "Identity provider",
    noProviders: "There is no such provider in this account.",
    createProvider: "Create a provider",
    audience: "Audience",
    issuer: "Tokens of",
    issuers: {
      github: "GitHub Actions",
      gitlab: "GitLab CI",
      circleci: "CircleCI",
      buildkite: "Buildkite",
      kubernetes: "Kubernetes",
      other: "Another issuer",
    },
    organization: "Organization",
    organizationId: "Organization id",
    repository: "Repository",
    group: "Group",
    project: "Project",
    projectId: "Project id",
    pipeline: "Pipeline",
    branch: "Branch",
    ref: "Branch, tag or environment",
    scope: "Only for",
    scopes: {
      any: "Everything in it",
      branch: "A branch",
      tag: "A tag",
      environment: "An environment",
      pullRequest: "Pull requests",
    },
    namespace: "Namespace",
    serviceAccount: "Service account",
    subject: "Subject (sub)",
    anyHint: "Leave it empty for any.",
  },
  saml: {
    audience: "Audience (SAML:aud)",
    tagSession: "Allow session tags (sts:TagSession)",
  },
  preview: "Trust policy",
  whoCan: "Who can assume this",
  warning: (warning: TrustWarning): string => {
    switch (warning.kind) {
      case "openSubject":
        return `There is no condition on ${warning.about}. Everybody who gets a token from this provider can assume the role.`;
      case "sharedIssuerRefused":
        return `Anybody can get a token from this provider. IAM refuses the policy without a condition on ${warning.about}.`;
      case "wildcardOrganization":
        return `The pattern of ${warning.about} has a wildcard in the organization. Others can register a name that matches.`;
      case "missingAudience":
        return `There is no condition on ${warning.about}. Tokens that were made for other services are accepted if the provider lists their audience.`;
      case "missingExternalId":
        return `${warning.about} is in another account. If it belongs to a third party, require an external ID.`;
      case "everyone":
        return "Everybody in every account is trusted.";
    }
  },
  fieldProblem: (problem: FieldProblem): string => {
    switch (problem.kind) {
      case "missing":
        return "Enter a value.";
      case "characters":
        return "There is a character or form that is not allowed here.";
      case "notJson":
        return "This is not JSON.";
    }
  },
  tabs: {
    permissions: "Permissions",
    trust: "Trust relationship",
    tags: "Tags",
    lastAccessed: "Last accessed",
    sessions: "Sessions",
  },
  trust: {
    edit: "Edit trust policy",
    saved: "The trust policy is saved. It holds from the next request on.",
    form: "Form",
    json: "JSON",
    as: "Edit as",
  },
  settings: {
    edit: "Edit description and duration",
    saved: "The role is saved.",
  },
  lastUsed: "Last used",
  lastUsedNever: "Not used in the tracking period",
  instanceProfiles: "Instance profiles",
  revoke: {
    title: "Revoke active sessions",
    description:
      "Denies everything to sessions that began before now, by the inline policy AWSRevokeOlderSessions. Who may assume the role can begin a new session.",
    run: "Revoke active sessions",
    confirm: "To confirm, enter revoke",
    word: "revoke",
    done: "All sessions that began before now are revoked.",
    last: "Sessions revoked that began before",
  },
};
