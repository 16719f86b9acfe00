import { useParams } from "react-router";
import { planOfProvider } from "../../api/iam/dependants";
import { providerName } from "../../lib/providers";
import { DetailPage } from "../../parts/iam/DetailPage";
import { listKey } from "../../parts/iam/keys";
import { strings } from "../../strings";
import { ConsoleSignIn } from "./ConsoleSignIn";
import { OidcProvider } from "./OidcProvider";
import { SamlProvider } from "./SamlProvider";
import { Settings } from "./Settings";

/** One identity provider. */
export default function Provider() {
  const { arn = "" } = useParams();
  const kind = arn.includes(":saml-provider/") ? "saml" : "oidc";
  return (
    <DetailPage
      name={providerName(arn)}
      list={{ text: strings.providers.title, to: "/identity-providers" }}
      plan={() => planOfProvider(arn)}
      stale={[listKey("providers")]}
    >
      {kind === "saml" ? <SamlProvider arn={arn} /> : <OidcProvider arn={arn} />}
      <Settings arn={arn} kind={kind} />
      <ConsoleSignIn arn={arn} kind={kind} />
    </DetailPage>
  );
}
