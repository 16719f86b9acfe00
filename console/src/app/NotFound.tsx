import Box from "@cloudscape-design/components/box";
import { LinkTo } from "../parts/LinkTo";
import { Page } from "../parts/Page";
import { strings } from "../strings";

export function NotFound() {
  return (
    <Page title={strings.frame.notFound}>
      <Box variant="p">{strings.frame.notFoundHint}</Box>
      <LinkTo to="/">{strings.frame.toHome}</LinkTo>
    </Page>
  );
}
