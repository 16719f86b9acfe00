/** Addresses of the console's pages. */

/** A repository's page. Names hold only characters that a path may have, and slashes between their parts. */
export function repositoryPath(name: string, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  const path = name.split("/").map(encodeURIComponent).join("/");
  return `/repositories/${path}${query === "" ? "" : `?${query}`}`;
}
