import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getOpenIDConnectProvider } from "../../api/iam/providers";
import { iamChange, perform } from "../../api/perform";
import type { Change } from "../../lib/commands/change";
import { areThumbprints, thumbprints } from "../../lib/providers";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { useConfirm } from "../../parts/iam/Confirm";
import { Dialog } from "../../parts/Dialog";
import { providerKey } from "../../parts/iam/keys";
import { Arn, Time } from "../../parts/Values";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** An OpenID Connect provider: audiences and thumbprints. */
export function OidcProvider({ arn }: { arn: string }) {
  const text = strings.providers;
  const [dialog, setDialog] = useState<"audience" | "thumbprints">();
  const stale = [providerKey(arn)];
  const OpenIDConnectProviderArn = arn;
  const found = useQuery({
    queryKey: providerKey(arn),
    queryFn: () => getOpenIDConnectProvider({ OpenIDConnectProviderArn }),
  });
  const removal = useConfirm(stale);
  const remove = (ClientID: string) =>
    removal.ask({
      title: text.removeAudience(ClientID),
      submit: strings.iam.remove,
      changes: [iamChange("RemoveClientIDFromOpenIDConnectProvider", { OpenIDConnectProviderArn, ClientID })],
      said: text.saved,
    });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const audiences = found.data?.ClientIDList ?? [];
  const prints = found.data?.ThumbprintList ?? [];
  const close = () => setDialog(undefined);
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header actions={<Button onClick={() => setDialog("thumbprints")}>{text.editThumbprints}</Button>}>
            {text.kinds.oidc}
          </Header>
        }
      >
        <KeyValuePairs
          columns={3}
          items={[
            { label: strings.iam.arn, value: <Arn arn={arn} /> },
            { label: text.created, value: <Time time={found.data?.CreateDate} /> },
            { label: text.thumbprints, value: prints.length === 0 ? text.noThumbprints : prints.join(", ") },
          ]}
        />
      </Container>
      <Table
        variant="container"
        items={audiences}
        loading={found.isPending}
        loadingText={strings.iam.loading}
        empty={<Box textAlign="center">{text.noAudiences}</Box>}
        ariaLabels={{ tableLabel: text.audiences }}
        header={
          <Header
            counter={`(${audiences.length})`}
            actions={<Button onClick={() => setDialog("audience")}>{text.addAudience}</Button>}
          >
            {text.audiences}
          </Header>
        }
        columnDefinitions={[
          { id: "audience", header: text.audience, isRowHeader: true, cell: (audience) => audience },
          {
            id: "remove",
            header: strings.iam.actions,
            cell: (audience) => (
              <Button
                variant="inline-link"
                ariaLabel={text.removeAudience(audience)}
                onClick={() => remove(audience)}
              >
                {strings.iam.remove}
              </Button>
            ),
          },
        ]}
      />
      {removal.dialog}
      {dialog === "audience" ? (
        <Line
          title={text.addAudience}
          label={text.audience}
          initial=""
          isValid={(value) => value.trim() !== ""}
          change={(ClientID) => iamChange("AddClientIDToOpenIDConnectProvider", { OpenIDConnectProviderArn, ClientID })}
          stale={stale}
          onClose={close}
        />
      ) : null}
      {dialog === "thumbprints" ? (
        <Line
          title={text.editThumbprints}
          label={text.thumbprints}
          initial={prints.join(", ")}
          constraint={text.thumbprintsHint}
          isValid={(value) => value !== "" && areThumbprints(thumbprints(value))}
          change={(value) =>
            iamChange("UpdateOpenIDConnectProviderThumbprint", {
              OpenIDConnectProviderArn,
              ThumbprintList: thumbprints(value),
            })
          }
          stale={stale}
          onClose={close}
        />
      ) : null}
    </SpaceBetween>
  );
}

interface LineProps {
  title: string;
  label: string;
  initial: string;
  constraint?: string;
  isValid: (value: string) => boolean;
  change: (value: string) => Change;
  stale: string[][];
  onClose: () => void;
}

/** A dialog with one line. */
function Line({ title, label, initial, constraint, isValid, change, stale, onClose }: LineProps) {
  const [value, setValue] = useState(initial);
  const action = useAction(() => perform(change(value)), { stale, said: () => strings.providers.saved, then: onClose });
  return (
    <Dialog
      title={title}
      submit={strings.iam.save}
      onSubmit={() => action.run(undefined)}
      onClose={onClose}
      isRunning={action.isRunning}
      isDisabled={!isValid(value)}
      error={action.error}
      changes={[change(value)]}
    >
      <Field label={label} value={value} onChange={setValue} constraint={constraint ?? ""} />
    </Dialog>
  );
}
