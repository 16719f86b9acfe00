import Box from "@cloudscape-design/components/box";
import { policyChanges } from "../../lib/policy/changes";
import { strings } from "../../strings";

/** The differences of two documents in words. */
export function Changes({ before, after }: { before: unknown; after: unknown }) {
  const text = strings.policies;
  const changes = policyChanges(before, after);
  if (changes === undefined) return null;
  if (changes.length === 0) return <Box>{text.versions.same}</Box>;
  return (
    <ul>
      {changes.map((change) => (
        <li key={text.change(change)}>{text.change(change)}</li>
      ))}
    </ul>
  );
}
