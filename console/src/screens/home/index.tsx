import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import { useSession } from "../../api/current";
import { loginCommand } from "../../lib/push-commands";
import { CodeBlock } from "../../parts/CodeBlock";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { Denials } from "./Denials";
import { FirstRun } from "./FirstRun";
import { Repositories } from "./Repositories";
import { Unused } from "./Unused";

const HALF = { colspan: { default: 12, m: 6 } } as const;

/** What is here, what went wrong lately, and what nobody needs. Each part loads and fails by itself. */
export default function Home() {
  const { push, title, welcome } = strings.home;
  const session = useSession();
  const login = loginCommand({
    endpoint: window.location.origin,
    region: session.region,
    host: session.registry,
  });
  return (
    <Page title={title} description={welcome(session.name, session.accountAlias ?? session.account)}>
      <FirstRun />
      <Container header={<Header variant="h2">{push.title}</Header>}>
        <Box variant="p">{push.hint}</Box>
        <CodeBlock code={login} label={push.label} copyLabel={push.copy} />
      </Container>
      <Repositories />
      <Grid gridDefinition={[HALF, HALF]}>
        <Denials />
        <Unused />
      </Grid>
    </Page>
  );
}
