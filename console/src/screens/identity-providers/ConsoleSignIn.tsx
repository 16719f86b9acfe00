import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { providerSettings, replaceSettings, type ProviderSettings } from "../../api/provider-settings";
import { consoleSignInChange, shownChange, type ConsoleSignInForm } from "../../lib/console-sign-in";
import { CopiedName } from "../../parts/Values";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { providerKey } from "../../parts/iam/keys";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

const settingsKey = (arn: string): string[] => [...providerKey(arn), "settings"];

/** Whether and how people sign in to the console through a provider, and what to register at it. */
export function ConsoleSignIn({ arn, kind }: { arn: string; kind: "oidc" | "saml" }) {
  const text = strings.companySignIn.settings;
  const [isOpen, setIsOpen] = useState(false);
  const found = useQuery({ queryKey: settingsKey(arn), queryFn: () => providerSettings(arn) });
  const off = useAction((read: ProviderSettings) => replaceSettings(read, consoleSignInChange(read, undefined), text.changed), {
    stale: [settingsKey(arn)],
    said: () => text.saved,
    isLoud: true,
  });
  if (found.error !== null) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const settings = found.data;
  const console = settings?.consoleSignIn;
  const isSaml = kind === "saml";
  const url = settings?.consoleCallbackUrl ?? "";
  const copied = (label: string, value: string) => ({
    label,
    value: <CopiedName name={value} label={text.copy(label)} />,
  });
  return (
    <Container
      header={
        <Header
          description={text.description}
          actions={
            settings === undefined ? null : (
              <SpaceBetween direction="horizontal" size="xs">
                {console === undefined ? null : (
                  <Button loading={off.isRunning} onClick={() => off.run(settings)}>
                    {text.turnOff}
                  </Button>
                )}
                <Button onClick={() => setIsOpen(true)}>{console === undefined ? text.turnOn : text.edit}</Button>
              </SpaceBetween>
            )
          }
        >
          {text.title}
        </Header>
      }
    >
      <KeyValuePairs
        columns={2}
        items={[
          { label: text.state, value: console === undefined ? text.off : text.on },
          copied(isSaml ? text.consumerUrl : text.redirectUri, url),
          ...(isSaml ? [copied(text.metadata, `${url}/metadata`)] : []),
          ...(console?.displayName === undefined ? [] : [{ label: text.displayName, value: console.displayName }]),
          ...(console?.clientId === undefined ? [] : [{ label: text.clientId, value: console.clientId }]),
          ...(console?.scopes === undefined ? [] : [{ label: text.scopes, value: console.scopes.join(" ") }]),
        ]}
      />
      {isOpen && settings !== undefined ? (
        <Edit settings={settings} isSaml={isSaml} onClose={() => setIsOpen(false)} />
      ) : null}
    </Container>
  );
}

interface EditProps {
  settings: ProviderSettings;
  isSaml: boolean;
  onClose: () => void;
}

function Edit({ settings: read, isSaml, onClose }: EditProps) {
  const text = strings.companySignIn.settings;
  // The page may read newer settings meanwhile; the edit began with these.
  const [settings] = useState(read);
  const now = settings.consoleSignIn;
  const [form, setForm] = useState<ConsoleSignInForm>({
    displayName: now?.displayName ?? "",
    clientId: now?.clientId ?? "",
    clientSecret: "",
    scopes: (now?.scopes ?? ["email", "profile"]).join(" "),
  });
  const set = (part: Partial<ConsoleSignInForm>) => setForm({ ...form, ...part });
  const change = consoleSignInChange(settings, form);
  const save = useAction(() => replaceSettings(settings, change, text.changed), {
    stale: [settingsKey(settings.providerArn)],
    said: () => text.saved,
    then: onClose,
  });
  return (
    <Dialog
      title={text.title}
      submit={strings.iam.save}
      onSubmit={() => save.run(undefined)}
      onClose={onClose}
      isRunning={save.isRunning}
      isDisabled={!isSaml && form.clientId.trim() === ""}
      error={save.error}
      changes={[shownChange(change)]}
    >
      <Field
        label={text.displayName}
        value={form.displayName}
        onChange={(displayName) => set({ displayName })}
        constraint={text.displayNameHint}
        isOptional
      />
      {isSaml ? null : (
        <>
          <Field
            label={text.clientId}
            value={form.clientId}
            onChange={(clientId) => set({ clientId })}
            constraint={text.clientIdHint}
          />
          <Field
            label={text.clientSecret}
            value={form.clientSecret}
            onChange={(clientSecret) => set({ clientSecret })}
            type="password"
            constraint={now?.hasClientSecret === true ? text.clientSecretKept : text.clientSecretHint}
            isOptional
          />
          <Field
            label={text.scopes}
            value={form.scopes}
            onChange={(scopes) => set({ scopes })}
            constraint={text.scopesHint}
            isOptional
          />
        </>
      )}
    </Dialog>
  );
}
