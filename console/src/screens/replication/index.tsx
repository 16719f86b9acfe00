import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { Backfills } from "./Backfills";
import { Peers } from "./Peers";
import { Rules } from "./Rules";
import { TagFilters } from "./TagFilters";

/** What is repeated where. Each panel is read by itself: who may not read one sees the others. */
export default function Replication() {
  return (
    <Page title={strings.replication.title} description={strings.replication.description}>
      <Rules />
      <Backfills />
      <Peers />
      <TagFilters />
    </Page>
  );
}
