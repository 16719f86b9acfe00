import { lineDiff } from "../lib/policy/lineDiff";

const SIGNS = { added: "+", removed: "-", same: " " } as const;

interface Props {
  before: string;
  after: string;
  /** What the difference is, for a screen reader. */
  label: string;
}

/** Lines with a sign before each, so that colour is not needed to read them. */
export function LineDiff({ before, after, label }: Props) {
  return (
    <pre
      tabIndex={0}
      role="region"
      aria-label={label}
      style={{ margin: 0, overflow: "auto", maxBlockSize: "28rem" }}
    >
      {lineDiff(before, after).map(({ kind, line }, index) => (
        <div key={index} style={kind === "same" ? undefined : { fontWeight: 700 }}>
          {SIGNS[kind]} {line}
        </div>
      ))}
    </pre>
  );
}
