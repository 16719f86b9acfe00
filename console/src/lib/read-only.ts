/** The read-only mode of the server or of one repository. */

import type { Change } from "./commands/change";

/** The call that begins or ends the mode; without a name, that of the whole server. */
export const readOnlyChange = (enabled: boolean, reason: string, repositoryName: string | undefined): Change => ({
  service: "berth",
  operation: "PutReadOnlyMode",
  input: {
    ...(repositoryName === undefined ? {} : { repositoryName }),
    enabled,
    ...(!enabled || reason.trim() === "" ? {} : { reason: reason.trim() }),
  },
});
