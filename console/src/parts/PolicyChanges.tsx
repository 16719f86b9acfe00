import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { CHANGES_MAX, policyChanges } from "../lib/policy/changes";
import { isRecord, parse } from "../lib/trust/document";
import { strings } from "../strings";
import { LineDiff } from "./LineDiff";

const isPolicy = (text: string): boolean => {
  const document = parse(text);
  return isRecord(document) && "Statement" in document;
};

/** The difference of two documents, in words and as lines. */
export function PolicyChanges({ before, after }: { before: string; after: string }) {
  const text = strings.policies;
  const changes = policyChanges(parse(before), parse(after));
  const lines = before === after ? null : <LineDiff before={before} after={after} label={text.diff} />;
  // A document that is no policy has lines alone.
  if (changes === undefined || ![before, after].some(isPolicy)) return lines;
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
      {lines}
    </SpaceBetween>
  );
}
