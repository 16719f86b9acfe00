/** The read-only mode of the server and of one repository. */
export const readOnly = {
  server: "Read-only mode of the server",
  repository: "Read-only mode",
  serverOn: (reason: string) => (reason === "" ? "The server refuses writes." : `The server refuses writes: ${reason}`),
  serverOff: "The server accepts writes.",
  repositoryOn: (reason: string) =>
    reason === "" ? "This repository refuses writes." : `This repository refuses writes: ${reason}`,
  repositoryOff: "This repository accepts writes.",
  since: "Since",
  by: "By",
  begin: "Begin read-only mode",
  end: "End read-only mode",
  reason: "Reason, which refusals repeat",
  warning: "All accounts of this server are refused pushes and changes until the mode ends. Pulls go on.",
  repositoryWarning:
    "Pushes, deletions and changes of the repository's policy, tags and settings are refused until the mode ends. Pulls go on.",
  begun: "The read-only mode has begun.",
  ended: "The read-only mode has ended.",
};
