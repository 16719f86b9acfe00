import { collect, from, markerOf } from "../../api/iam/collect";
import { getAccessKeyLastUsed, listAccessKeys } from "../../api/iam/credentials";
import { describeFailure } from "../../lib/failure";

/** A key of a user. */
export interface AccessKey {
  id: string;
  isActive: boolean;
  created: Date | undefined;
  used: Date | undefined;
  /** Whether the caller may read when the key was used. */
  isUseKnown: boolean;
  service: string | undefined;
}

/** The keys of a user; each with its last use, as far as the caller may read it. */
export async function keysOf(UserName: string): Promise<AccessKey[]> {
  const found = await collect(async (marker) => {
    const answer = await listAccessKeys({ UserName, ...from(marker) });
    return { items: answer.AccessKeyMetadata ?? [], marker: markerOf(answer) };
  });
  return Promise.all(
    found.items.map(async (key) => {
      const id = key.AccessKeyId ?? "";
      // The list is useful without it, and it needs a permission of its own.
      const use = await getAccessKeyLastUsed({ AccessKeyId: id }).catch((error: unknown) => {
        if (describeFailure(error).isDenial) return undefined;
        throw error;
      });
      const last = use?.AccessKeyLastUsed;
      const service = last?.ServiceName === "N/A" ? undefined : last?.ServiceName;
      return {
        id,
        isActive: key.Status === "Active",
        created: key.CreateDate,
        used: last?.LastUsedDate,
        isUseKnown: use !== undefined,
        service,
      };
    }),
  );
}
