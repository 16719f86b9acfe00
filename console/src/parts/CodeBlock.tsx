import Box from "@cloudscape-design/components/box";
import { Copy } from "./Copy";

/** A line around it shows where the text goes on under the edge. */
const FRAME = {
  display: "grid",
  gridTemplateColumns: "minmax(0, 1fr) auto",
  alignItems: "start",
  border: "1px solid color-mix(in srgb, currentColor 25%, transparent)",
  borderRadius: 8,
  padding: "4px 4px 4px 12px",
} as const;
const TEXT = { margin: 0, padding: "4px 0", overflow: "auto", maxBlockSize: "36rem", whiteSpace: "pre" } as const;

interface Props {
  code: string;
  /** What the code is, for a screen reader. */
  label: string;
  copyLabel: string;
}

/** Text to paste, with a button that copies it. It scrolls, and the keyboard reaches it for that. */
export function CodeBlock({ code, label, copyLabel }: Props) {
  return (
    <div style={FRAME}>
      <pre
        tabIndex={0}
        role="region"
        aria-label={label}
        style={TEXT}
      >
        <Box variant="code">{code}</Box>
      </pre>
      <Copy text={code} label={copyLabel} />
    </div>
  );
}
