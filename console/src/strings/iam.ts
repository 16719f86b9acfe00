import type { NameProblem } from "../lib/names";

/** What the screens of IAM share. */
export const iam = {
  optional: "optional",
  cancel: "Cancel",
  confirm: "The change holds from the next request on.",
  save: "Save changes",
  close: "Close",
  edit: "Edit",
  remove: "Remove",
  delete: "Delete",
  actions: "Actions",
  none: "–",
  never: "Never",
  notReadable: "You may not read it",
  loading: "Loading",
  name: "Name",
  arn: "ARN",
  path: "Path",
  pathHint: "Begins and ends with a slash, such as /division/team/.",
  created: "Created",
  lastUsed: "Last used",
  description: "Description",
  details: "Details",
  find: "Find",
  copy: (label: string) => `Copy: ${label}`,
  problem: (problem: NameProblem): string => {
    switch (problem.kind) {
      case "missing":
        return "Enter a value.";
      case "tooShort":
        return `At least ${problem.min}.`;
      case "tooLong":
        return `At most ${problem.max}.`;
      case "characters":
        return "There is a character or form that is not allowed here.";
      case "pathSlashes":
        return "A path begins and ends with a slash.";
      case "reserved":
        return "Keys that begin with aws: are reserved.";
      case "digitsOnly":
        return "Twelve digits would look like an account id.";
      case "duplicate":
        return "Two keys are the same. Letter case makes no difference.";
      case "tooMany":
        return `There can be at most ${problem.max}.`;
    }
  },
  nameHint: (max: number) => `Up to ${max} letters, digits and _+=,.@-`,
  secret: {
    hidden: "••••••••••••••••",
    show: (label: string) => `Show ${label.toLowerCase()}`,
    hide: (label: string) => `Hide ${label.toLowerCase()}`,
    copy: (label: string) => `Copy ${label.toLowerCase()}`,
    showShort: "Show",
    hideShort: "Hide",
    leaveTitle: "Leave without the secret?",
    leave: "Leave",
    stay: "Stay on this page",
  },
  tags: {
    title: "Tags",
    description: "Keys and values that policies can name in conditions.",
    key: "Key",
    value: "Value",
    add: "Add a tag",
    removeShort: "Remove",
    remove: (key: string) => `Remove tag ${key}`,
    none: "There are no tags.",
    saved: "The tags are saved.",
    edit: "Edit tags",
  },
  permissions: {
    title: "Permissions policies",
    description: "All of these together say what is allowed.",
    policy: "Policy",
    kind: "Kind",
    inline: "Inline",
    managed: "Managed",
    awsManaged: "AWS managed",
    attach: "Attach policies",
    attachTitle: "Attach managed policies",
    attached: "The policies are attached.",
    createInline: "Create inline policy",
    editInline: (name: string) => `Edit inline policy ${name}`,
    document: "Policy document",
    remove: (name: string) => `Remove policy ${name}`,
    removeInline: "The document of an inline policy is kept nowhere else.",
    removeAttached: "The policy itself stays, and can be attached again.",
    removed: (name: string) => `The policy ${name} is removed.`,
    saved: (name: string) => `The policy ${name} is saved.`,
    none: "There are no policies, so nothing is allowed.",
    notJson: "This is not JSON.",
    find: "Find policies",
    findHint: "Part of the name",
    noMatch: "No policy has such a name.",
    boundary: "Permissions boundary",
    boundaryDescription: "The most that the policies can allow. It allows nothing by itself.",
    boundaryNone: "No boundary is set.",
    boundarySet: "Set boundary",
    boundaryChange: "Change boundary",
    boundaryRemove: "Remove boundary",
    boundarySaved: "The boundary is saved.",
    boundaryRemoved: "The boundary is removed.",
    choose: "Choose a policy",
    select: (name: string) => `Select ${name}`,
    selectAll: "Select all",
    template: "Template",
    templates: {
      pushAndPull: "Push and pull",
      pullOnly: "Pull only",
      administer: "Everything on these repositories",
    },
    templateHints: {
      pushAndPull: "List images, log in, push and pull: the three statements of ECR's guides.",
      pullOnly: "List images, log in and pull. For what runs your images.",
      administer: "All actions of ECR on the repositories, deletion and permissions included.",
    },
    repositories: "Repositories",
    repositoriesHint:
      "Names with commas between. A * stands for any characters: my-app-* matches my-app-api and my-app-team/api.",
    repositoriesProblem: "Names have lower-case letters, digits and ._-/ (and * or ? in patterns).",
    repositoriesMissing: "Name a repository.",
    choice: "Permissions",
    choices: {
      none: "None now",
      template: "From a template",
      managed: "Managed policies",
      json: "Policy document",
    },
    choiceHints: {
      none: "Permissions can be added later, or come from a group.",
      template: "An inline policy for repositories that you name.",
      managed: "Policies of this account or of AWS, attached.",
      json: "An inline policy that you write.",
    },
    policyName: "Policy name",
  },
};
