import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { Copy } from "./Copy";

interface Props {
  code: string;
  /** What the code is, for a screen reader. */
  label: string;
  copyLabel: string;
}

/** Text to paste, with a button that copies it. It scrolls, and the keyboard reaches it for that. */
export function CodeBlock({ code, label, copyLabel }: Props) {
  return (
    <SpaceBetween size="xxs">
      <pre
        tabIndex={0}
        role="region"
        aria-label={label}
        style={{ margin: 0, overflow: "auto", maxBlockSize: "28rem", whiteSpace: "pre" }}
      >
        <Box variant="code">{code}</Box>
      </pre>
      <Copy text={code} label={copyLabel} />
    </SpaceBetween>
  );
}
