/** A document that somebody else changed while it was edited. */
export const changed = {
  title: "The document changed while you edited it",
  text: "Somebody changed it after you opened it. Nothing was saved. Below is what changed meanwhile.",
  gone: "The document is not there any more.",
  take: "Discard my edit and start from the current document",
  keep: "Keep my edit, to save it over the current document",
};
