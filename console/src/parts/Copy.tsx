import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import { strings } from "../strings";

interface Props {
  text: string;
  /** What is copied, for a screen reader: "Copy the digest". */
  label: string;
  /** Shows the text with the button behind it. */
  inline?: boolean;
}

/** A button that copies a text. */
export function Copy({ text, label, inline = false }: Props) {
  return (
    <CopyToClipboard
      variant={inline ? "inline" : "icon"}
      copyButtonAriaLabel={label}
      textToCopy={text}
      copySuccessText={strings.frame.copied}
      copyErrorText={strings.frame.copyFailed}
    />
  );
}
