import Box from "@cloudscape-design/components/box";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { strings } from "../strings";

export function Loading() {
  return (
    <Box padding="xxl" textAlign="center">
      <StatusIndicator type="loading">{strings.frame.loading}</StatusIndicator>
    </Box>
  );
}
