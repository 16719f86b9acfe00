/** Secrets with the credentials of upstream registries: the part of Secrets Manager that the server has. */

import { jsonService } from "./json-service";

export const secretsManager = jsonService("secretsmanager", "secretsmanager");

/** A secret, without its value. */
export interface Secret {
  ARN: string;
  Name: string;
  Description?: string;
}

/** Secrets of a page; the server has 1,000 at most. */
const PAGE_SIZE = 100;

/** All secrets of this account and region, by name. */
export async function listSecrets(): Promise<Secret[]> {
  const found: Secret[] = [];
  let token: string | undefined;
  do {
    const answer = await secretsManager<{ SecretList?: Secret[]; NextToken?: string }>("ListSecrets", {
      MaxResults: PAGE_SIZE,
      SortBy: "name",
      SortOrder: "asc",
      ...(token === undefined ? {} : { NextToken: token }),
    });
    found.push(...(answer.SecretList ?? []));
    token = answer.NextToken;
  } while (token !== undefined);
  return found;
}
