import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Loading } from "../../app/Loading";
import { ROOT } from "../../lib/pull-through";
import { resetSettings, type Settings } from "../../lib/pull-through-settings";
import { Failure } from "../../parts/Failure";
import { useConfirm } from "../../parts/iam/Confirm";
import { LongName } from "../../parts/Values";
import { strings } from "../../strings";
import { EditSettings } from "./EditSettings";
import { SETTINGS, settingsQuery } from "./queries";

const text = strings.pullThrough.settings;

/** What a rule has beyond ECR: further upstreams, platforms, freshness, certificates. */
export function RuleSettings({ prefix }: { prefix: string }) {
  const query = useQuery(settingsQuery(prefix));
  const [isOpen, setIsOpen] = useState(false);
  const { ask, dialog } = useConfirm([SETTINGS]);
  const settings = query.data ?? undefined;
  const reset = () =>
    ask({
      title: text.resetTitle(prefix),
      text: text.resetText,
      submit: text.reset,
      changes: [resetSettings(prefix)],
      said: text.wereReset(prefix),
    });
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={text.hint}
          actions={
            settings === undefined ? null : (
              <SpaceBetween size="xs" direction="horizontal">
                {settings.updatedAt === undefined ? null : <Button onClick={reset}>{text.reset}</Button>}
                <Button onClick={() => setIsOpen(true)}>{text.edit}</Button>
              </SpaceBetween>
            )
          }
        >
          {text.title}
        </Header>
      }
    >
      {query.isPending ? <Loading /> : null}
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {settings === undefined ? null : <Shown settings={settings} />}
      {dialog}
      {isOpen && settings !== undefined ? <EditSettings settings={settings} onClose={() => setIsOpen(false)} /> : null}
    </Container>
  );
}

function Shown({ settings }: { settings: Settings }) {
  const isSet = (value: string | undefined) => (value === undefined ? text.isNotSet : text.isSet);
  return (
    <KeyValuePairs
      columns={3}
      items={[
        { label: text.freshness, value: text.freshnessValue(settings.tagFreshnessSeconds) },
        { label: text.platforms, value: settings.platforms.length === 0 ? text.allPlatforms : settings.platforms.join(", ") },
        { label: text.referrers, value: settings.referrers === "ENABLED" ? text.referrersOn : text.referrersOff },
        { label: text.authority, value: isSet(settings.certificateAuthority) },
        { label: text.certificate, value: isSet(settings.clientCertificate) },
        { label: text.upstreams, value: <Upstreams settings={settings} /> },
      ]}
    />
  );
}

function Upstreams({ settings: { upstreams } }: { settings: Settings }) {
  if (upstreams.length === 0) return <Box>{text.noUpstreams}</Box>;
  return (
    <ol>
      {upstreams.map(({ upstreamRegistryUrl: url, upstreamRepositoryPrefix: prefix }) => (
        <li key={`${url} ${prefix}`}>
          <LongName name={prefix === ROOT ? url : `${url}/${prefix}`} />
        </li>
      ))}
    </ol>
  );
}
