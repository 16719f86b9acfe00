import Box from "@cloudscape-design/components/box";
import { useSession } from "../../api/current";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";

export default function Home() {
  const session = useSession();
  return (
    <Page title={strings.home.title}>
      <Box variant="p">{strings.home.welcome(session.name, session.accountAlias ?? session.account)}</Box>
    </Page>
  );
}
