import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { strings } from "../strings";

interface Props {
  /** What it is: "Secret access key". */
  label: string;
  value: string;
}

/** A secret that is hidden until it is asked for, with a button that copies it. */
export function Secret({ label, value }: Props) {
  const [isShown, setIsShown] = useState(false);
  const text = strings.iam.secret;
  return (
    <div role="group" aria-label={label}>
      <Box variant="awsui-key-label">{label}</Box>
      <SpaceBetween direction="horizontal" size="xs">
        <CopyToClipboard
          variant="icon"
          textToCopy={value}
          copyButtonAriaLabel={text.copy(label)}
          copySuccessText={strings.frame.copied}
          copyErrorText={strings.frame.copyFailed}
        />
        <Box variant="code">{isShown ? value : text.hidden}</Box>
        <Button
          variant="inline-link"
          ariaLabel={isShown ? text.hide(label) : text.show(label)}
          onClick={() => setIsShown(!isShown)}
        >
          {isShown ? text.hideShort : text.showShort}
        </Button>
      </SpaceBetween>
    </div>
  );
}
