/**
 * Replaces a policy document only while it is still the one that the new document was made from.
 *
 * Neither IAM nor ECR has a conditional write: their operations take no version and no entity tag (IAM API Reference,
 * PutUserPolicy, CreatePolicyVersion, UpdateAssumeRolePolicy; ECR API Reference, SetRepositoryPolicy). So the document
 * is read again right before it is written. What somebody writes between these two calls is not seen.
 */

import { parse, sameDocument } from "../trust/document";

/** Where a document is read and written; `undefined` where there is none. */
export interface DocumentStore {
  read: () => Promise<string | undefined>;
  write: (document: string) => Promise<void>;
}

/** The document is not the expected one any more, so nothing was written. */
export class DocumentChanged extends Error {
  override readonly name = "DocumentChanged";

  constructor(
    /** What is there now. */
    readonly current: string | undefined,
  ) {
    super("The document changed meanwhile. Nothing was saved.");
  }
}

/** Whether two texts hold the same document. Formatting and the order of members make no difference. */
export function isSameText(a: string | undefined, b: string | undefined): boolean {
  const [one, other] = [(a ?? "").trim(), (b ?? "").trim()];
  if (one === other) return true;
  const [first, second] = [parse(one), parse(other)];
  return first !== undefined && second !== undefined && sameDocument(first, second);
}

/** Writes `next` where the document is still `expected`; fails with `DocumentChanged` where it is not. */
export async function replaceUnchanged(store: DocumentStore, expected: string | undefined, next: string): Promise<void> {
  const current = await store.read();
  if (!isSameText(current, expected)) throw new DocumentChanged(current);
  await store.write(next);
}
