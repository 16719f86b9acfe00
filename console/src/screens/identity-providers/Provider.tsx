import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { planOfProvider } from "../../api/iam/dependants";
import { providerName } from "../../lib/providers";
import { CleanUp } from "../../parts/cleanup/CleanUp";
import { listKey } from "../../parts/iam/keys";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { OidcProvider } from "./OidcProvider";
import { SamlProvider } from "./SamlProvider";

/** One identity provider. */
export default function Provider() {
  const text = strings.providers;
  const { arn = "" } = useParams();
  const navigate = useNavigate();
  const [isDeleting, setIsDeleting] = useState(false);
  const name = providerName(arn);
  return (
    <Page
      title={name}
      crumbs={[{ text: text.title, to: "/identity-providers" }]}
      actions={<Button onClick={() => setIsDeleting(true)}>{strings.iam.delete}</Button>}
    >
      {arn.includes(":saml-provider/") ? <SamlProvider arn={arn} /> : <OidcProvider arn={arn} />}
      {isDeleting ? (
        <CleanUp
          name={name}
          plan={() => planOfProvider(arn)}
          stale={[listKey("providers")]}
          onClose={() => setIsDeleting(false)}
          onDone={() => void navigate("/identity-providers")}
        />
      ) : null}
    </Page>
  );
}
