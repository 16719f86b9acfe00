import type { PullThroughCacheRule } from "../../api/pull-through";
import { ROOT, secretName } from "../../lib/pull-through";
import { LongName, ShortArn } from "../../parts/Values";
import { strings } from "../../strings";

/** The registry that a rule caches, with the prefix there. */
export function Upstream({ rule }: { rule: PullThroughCacheRule }) {
  const { upstreamRegistryUrl: url = "", upstreamRepositoryPrefix: prefix = ROOT } = rule;
  return <LongName name={prefix === ROOT ? url : `${url}/${prefix}`} />;
}

/** The name of the secret, or the role, that a rule logs in with. */
export function Credentials({ rule }: { rule: PullThroughCacheRule }) {
  if (rule.credentialArn !== undefined) return <LongName name={secretName(rule.credentialArn)} />;
  if (rule.customRoleArn !== undefined) return <ShortArn arn={rule.customRoleArn} />;
  return <>{strings.pullThrough.noCredentials}</>;
}
