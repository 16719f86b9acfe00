import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { providerSettings, type ProviderSettings } from "../../api/provider-settings";
import { Failure } from "../../parts/Failure";
import { providerKey } from "../../parts/iam/keys";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { SettingsForm } from "./SettingsForm";

/** The settings of a provider that IAM has no member for. */
export function Settings({ arn, kind }: { arn: string; kind: "oidc" | "saml" }) {
  const text = strings.providerSettings;
  const [isOpen, setIsOpen] = useState(false);
  const queryKey = [...providerKey(arn), "settings"];
  const found = useQuery({ queryKey, queryFn: () => providerSettings(arn) });
  const stored = found.data;
  return (
    <Container
      header={
        <Header
          description={kind === "saml" ? text.samlDescription : text.description}
          actions={
            <Button disabled={stored === undefined} onClick={() => setIsOpen(true)}>
              {text.edit}
            </Button>
          }
        >
          {text.title}
        </Header>
      }
    >
      {found.error === null ? null : <Failure error={found.error} retry={() => void found.refetch()} />}
      {stored === undefined ? null : (
        <KeyValuePairs columns={3} items={kind === "saml" ? samlPairs(stored) : oidcPairs(stored)} />
      )}
      {isOpen && stored !== undefined ? (
        <SettingsForm arn={arn} kind={kind} stored={stored} stale={[queryKey]} onClose={() => setIsOpen(false)} />
      ) : null}
    </Container>
  );
}

const updated = ({ updatedAt }: ProviderSettings) => ({
  label: strings.providerSettings.updated,
  value: <Time time={updatedAt === undefined ? undefined : new Date(updatedAt * 1000)} missing={strings.iam.never} />,
});

function samlPairs(stored: ProviderSettings) {
  const text = strings.providerSettings;
  return [{ label: text.singleUse, value: stored.singleUseAssertions === true ? text.yes : text.no }, updated(stored)];
}

function oidcPairs(stored: ProviderSettings) {
  const text = strings.providerSettings;
  const isSet = (value: boolean) => (value ? text.isSet : text.notSet);
  const list = (values: string[] | undefined, none: string) => (values ?? []).join(", ") || none;
  return [
    { label: text.claims, value: list(stored.conditionKeyClaims, strings.iam.none) },
    { label: text.keysHost, value: stored.keysHost ?? strings.iam.none },
    { label: text.algorithms, value: list(stored.signingAlgorithms, text.algorithmsAny) },
    { label: text.token, value: isSet(stored.hasBearerToken === true) },
    { label: text.authority, value: isSet(stored.certificateAuthority !== undefined) },
    { label: text.certificate, value: isSet(stored.clientCertificate !== undefined) },
    { label: text.clientKey, value: isSet(stored.hasClientKey === true) },
    updated(stored),
  ];
}
