import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { AccountSettings } from "./AccountSettings";
import { Exclusions } from "./Exclusions";
import { ReadOnly } from "./ReadOnly";
import { RegistryPolicy } from "./RegistryPolicy";
import { Scanning } from "./Scanning";

/** What holds for a whole registry. Each panel is read by itself: who may not read one sees the others. */
export default function RegistrySettings() {
  const text = strings.registrySettings;
  return (
    <Page title={text.title} description={text.description}>
      <AccountSettings />
      <RegistryPolicy />
      <Scanning />
      <Exclusions />
      <ReadOnly />
    </Page>
  );
}
