import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { FailedDeliveries } from "./Failed";
import { Targets } from "./Targets";

/** Where events are sent, and what could not be delivered. */
export default function Events() {
  return (
    <Page title={strings.events.title} description={strings.events.description}>
      <Targets />
      <FailedDeliveries />
    </Page>
  );
}
