import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { Alias } from "./Alias";
import { PasswordPolicy } from "./PasswordPolicy";

/** Alias and password policy of the account. */
export default function AccountSettings() {
  return (
    <Page title={strings.accountSettings.title}>
      <Alias />
      <PasswordPolicy />
    </Page>
  );
}
