import Container from "@cloudscape-design/components/container";
import { useUrlState } from "../../parts/useUrlState";
import { Page } from "../../parts/Page";
import { Simulator as Simulation } from "../../parts/policy-editor/Simulator";
import { strings } from "../../strings";

/** A policy that says nothing: the principal's own policies decide. */
const NOTHING = JSON.stringify({ Version: "2012-10-17", Statement: [] });

/** Asks what a principal may do with the policies that it has. */
export default function Simulator() {
  const text = strings.simulator;
  const [principal] = useUrlState("principal");
  const [resource] = useUrlState("resource");
  return (
    <Page title={text.title} description={text.description}>
      <Container>
        <Simulation isAlone kind="identity" document={NOTHING} principal={principal} resource={resource} />
      </Container>
    </Page>
  );
}
