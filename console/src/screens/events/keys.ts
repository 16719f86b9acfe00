/** Keys of the cached answers. */

export const TARGETS = ["events", "targets"];
export const FAILED = ["events", "failed"];
