import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { describeFailure } from "../lib/failure";
import { strings } from "../strings";
import { LinkTo } from "./LinkTo";

interface Props {
  error: unknown;
  /** What to call for another attempt, where that makes sense. */
  retry?: () => void;
}

/** Shows a failed call in the place of what it would have shown; the rest of the page goes on. */
export function Failure({ error, retry }: Props) {
  const { code, message, requestId, isDenial, isNetwork } = describeFailure(error);
  const text = strings.frame.failure;
  return (
    <Alert
      type={isDenial ? "info" : "error"}
      header={isDenial ? text.denied : text.failed}
      action={retry === undefined || isDenial ? undefined : <Button onClick={retry}>{text.retry}</Button>}
    >
      <SpaceBetween size="xs">
        <div>{isNetwork ? text.network : message}</div>
        <Box variant="small">
          {text.code}: {code}
          {requestId === undefined ? null : (
            <>
              {" · "}
              {text.requestId}: {requestId}
            </>
          )}
          {isDenial && requestId !== undefined ? (
            <>
              {" · "}
              <LinkTo to={`/denials/${encodeURIComponent(requestId)}`}>{text.explain}</LinkTo>
            </>
          ) : null}
        </Box>
      </SpaceBetween>
    </Alert>
  );
}
