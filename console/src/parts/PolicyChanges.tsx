import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { CHANGES_MAX, policyChanges } from "../lib/policy/changes";
import { parse } from "../lib/trust/document";
import { strings } from "../strings";
import { LineDiff } from "./LineDiff";

/** The difference of two documents, in words and as lines. */
export function PolicyChanges({ before, after }: { before: string; after: string }) {
  const text = strings.policies;
  const changes = policyChanges(parse(before), parse(after));
  if (changes === undefined) return null;
  return (
    <SpaceBetween size="s">
      {changes.length === 0 ? (
        <Box>{text.versions.same}</Box>
      ) : (
        <ul>
          {changes.map((change) => (
            <li key={text.change(change)}>{text.change(change)}</li>
          ))}
        </ul>
      )}
      {changes.length < CHANGES_MAX ? null : <Box>{text.tooMany(CHANGES_MAX)}</Box>}
      {before === after ? null : <LineDiff before={before} after={after} label={text.diff} />}
    </SpaceBetween>
  );
}
