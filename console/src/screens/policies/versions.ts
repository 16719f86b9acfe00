import { collect, from, markerOf } from "../../api/iam/collect";
import { getPolicyVersion, listPolicyVersions } from "../../api/iam/policies";
import { decodeDocument } from "../../lib/trust/document";

export interface Version {
  id: string;
  isDefault: boolean;
  created: Date | undefined;
}

export async function versionsOf(PolicyArn: string): Promise<Version[]> {
  const found = await collect(async (marker) => {
    const answer = await listPolicyVersions({ PolicyArn, ...from(marker) });
    return { items: answer.Versions ?? [], marker: markerOf(answer) };
  });
  return found.items.map((version) => ({
    id: version.VersionId ?? "",
    isDefault: version.IsDefaultVersion ?? false,
    created: version.CreateDate,
  }));
}

export async function documentOf(PolicyArn: string, VersionId: string): Promise<string> {
  const answer = await getPolicyVersion({ PolicyArn, VersionId });
  return decodeDocument(answer.PolicyVersion?.Document ?? "");
}
