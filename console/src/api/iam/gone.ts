const GONE = new Set([
  "NoSuchEntity",
  "NoSuchEntityException",
  "HostNotFoundException",
  "RepositoryNotFoundException",
  "RepositoryPolicyNotFoundException",
]);

/** Whether the answer says that the thing is not there. */
export const isGone = (error: unknown): boolean => error instanceof Error && GONE.has(error.name);
