/**
 * The clients of the AWS APIs: bare ones, whose commands are imported one by one. All of them call this page's own
 * origin with the session's credentials.
 */

import { AccessAnalyzerClient } from "@aws-sdk/client-accessanalyzer";
import { ECRClient } from "@aws-sdk/client-ecr";
import { IAMClient } from "@aws-sdk/client-iam";
import { OrganizationsClient } from "@aws-sdk/client-organizations";
import { STSClient } from "@aws-sdk/client-sts";
import { credentials, region, sessionGeneration } from "./current";

interface Configuration {
  endpoint: string;
  region: () => Promise<string>;
  credentials: typeof credentials;
  maxAttempts: number;
}

/**
 * One client of a kind for each session: a client keeps credentials until they end, so the one of an earlier person
 * or role must not be used again.
 */
function perSession<T>(Client: new (configuration: Configuration) => T): () => T {
  let made: { client: T; generation: number } | undefined;
  return () => {
    const generation = sessionGeneration();
    if (made?.generation !== generation) {
      const client = new Client({
        endpoint: window.location.origin,
        region: () => Promise.resolve(region()),
        credentials,
        maxAttempts: 3,
      });
      made = { client, generation };
    }
    return made.client;
  };
}

export const ecr = perSession(ECRClient);
export const iam = perSession(IAMClient);
export const sts = perSession(STSClient);
export const organizations = perSession(OrganizationsClient);
export const accessAnalyzer = perSession(AccessAnalyzerClient);
