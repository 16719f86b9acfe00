/** Policy documents wherever they are kept: inline, managed, a role's trust policy, a repository's policy. */

import { decodeDocument } from "../lib/trust/document";
import { putPolicy } from "../lib/keys";
import { replicationChange } from "../lib/replication";
import { readTemplate, templateForm, templateText, updateTemplate } from "../lib/template-form";
import { replaceUnchanged, type DocumentStore } from "../lib/policy/replace";
import { deleteRepositoryPolicy, getRepositoryPolicy, setRepositoryPolicy } from "./ecr";
import { isGone } from "./iam/gone";
import { inlineDocument, putInline, type Holder } from "./iam/holder";
import { createPolicyVersion, getPolicy, getPolicyVersion } from "./iam/policies";
import { getRegistryPolicy, getTemplate, putRegistryPolicy } from "./registry";
import { getKeyPolicy } from "./kms";
import { perform } from "./perform";
import { getReplication } from "./replication";
import { getRole, updateAssumeRolePolicy } from "./iam/roles";

export type Place =
  | { kind: "inline"; holder: Holder; policyName: string }
  | { kind: "managed"; arn: string }
  | { kind: "trust"; roleName: string }
  | { kind: "repository"; name: string }
  | { kind: "registry" }
  | { kind: "replication" }
  | { kind: "key"; id: string }
  /** A creation template, as the JSON of its form. */
  | { kind: "template"; prefix: string };

/** Reads and writes the document of a place. */
export function documentStore(place: Place): DocumentStore {
  switch (place.kind) {
    case "inline":
      return {
        read: () =>
          inlineDocument(place.holder, place.policyName).catch((error: unknown) => {
            if (isGone(error)) return undefined;
            throw error;
          }),
        write: (document) => putInline(place.holder, place.policyName, document),
      };
    case "managed":
      return {
        read: async () => {
          const { Policy } = await getPolicy({ PolicyArn: place.arn });
          const found = await getPolicyVersion({ PolicyArn: place.arn, VersionId: Policy?.DefaultVersionId });
          return decodeDocument(found.PolicyVersion?.Document ?? "");
        },
        write: async (PolicyDocument) => {
          await createPolicyVersion({ PolicyArn: place.arn, PolicyDocument, SetAsDefault: true });
        },
      };
    case "trust":
      return {
        read: async () => {
          const { Role } = await getRole({ RoleName: place.roleName });
          return decodeDocument(Role?.AssumeRolePolicyDocument ?? "");
        },
        write: async (PolicyDocument) => {
          await updateAssumeRolePolicy({ RoleName: place.roleName, PolicyDocument });
        },
      };
    case "repository":
      return {
        read: () => getRepositoryPolicy(place.name),
        // A repository without statements has no policy.
        write: (document) =>
          document === "" ? deleteRepositoryPolicy(place.name) : setRepositoryPolicy(place.name, document),
      };
    case "registry":
      return { read: getRegistryPolicy, write: putRegistryPolicy };
    case "key":
      return {
        read: () => getKeyPolicy(place.id),
        write: async (document) => {
          await perform(putPolicy(place.id, document));
        },
      };
    case "template":
      return {
        read: async () => {
          const stored = await getTemplate(place.prefix);
          return stored === null ? undefined : templateText(templateForm(stored));
        },
        write: async (document) => {
          const form = readTemplate(document);
          if (form === undefined) throw new Error("not the text of a template");
          await perform(updateTemplate(form));
        },
      };
    case "replication":
      return {
        read: getReplication,
        write: async (document) => {
          await perform(replicationChange(document));
        },
      };
  }
}

/** Writes the document of a place, unless it is not `expected` any more: then it fails with `DocumentChanged`. */
export const replaceDocument = (place: Place, expected: string | undefined, next: string): Promise<void> =>
  replaceUnchanged(documentStore(place), expected, next);
