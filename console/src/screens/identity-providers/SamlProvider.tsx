import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getSAMLProvider } from "../../api/iam/providers";
import { iamChange, perform } from "../../api/perform";
import { Failure } from "../../parts/Failure";
import { Dialog } from "../../parts/Dialog";
import { providerKey } from "../../parts/iam/keys";
import { Arn, Time } from "../../parts/Values";
import { PolicyText } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Metadata } from "./Metadata";

/** A SAML provider: its metadata, and new metadata for it. */
export function SamlProvider({ arn }: { arn: string }) {
  const text = strings.providers;
  const [isOpen, setIsOpen] = useState(false);
  const [metadata, setMetadata] = useState("");
  const found = useQuery({ queryKey: providerKey(arn), queryFn: () => getSAMLProvider({ SAMLProviderArn: arn }) });
  const change = iamChange("UpdateSAMLProvider", { SAMLProviderArn: arn, SAMLMetadataDocument: metadata });
  const save = useAction(() => perform(change), {
    stale: [providerKey(arn)],
    said: () => text.saved,
    then: () => setIsOpen(false),
  });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <Container header={<Header actions={<Button onClick={() => setIsOpen(true)}>{text.replaceMetadata}</Button>}>{text.kinds.saml}</Header>}>
      <SpaceBetween size="m">
        <KeyValuePairs
          columns={3}
          items={[
            { label: strings.iam.arn, value: <Arn arn={arn} /> },
            { label: text.created, value: <Time time={found.data?.CreateDate} /> },
            { label: text.validUntil, value: <Time time={found.data?.ValidUntil} /> },
          ]}
        />
        <PolicyText label={text.metadata} value={found.data?.SAMLMetadataDocument ?? ""} />
      </SpaceBetween>
      {isOpen ? (
        <Dialog
          title={text.replaceMetadata}
          submit={strings.iam.save}
          onSubmit={() => save.run(undefined)}
          onClose={() => setIsOpen(false)}
          isRunning={save.isRunning}
          isDisabled={metadata === ""}
          error={save.error}
          changes={[change]}
        >
          <Metadata onChange={setMetadata} error={undefined} />
        </Dialog>
      ) : null}
    </Container>
  );
}
