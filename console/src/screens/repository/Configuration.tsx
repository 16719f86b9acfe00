import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { Loading } from "../../app/Loading";
import { readConfiguration } from "../../lib/manifest";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { Pairs } from "./ManifestParts";
import { configurationQuery } from "./queries";

/** An image's configuration and the steps that made it. */
export function Configuration({ name, digest }: { name: string; digest: string }) {
  const text = strings.repository.image;
  const query = useQuery(configurationQuery(name, digest));
  if (query.isPending) return <Loading />;
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const configuration = readConfiguration(query.data);
  if (configuration === undefined) return <Box variant="p">{text.unreadable}</Box>;
  const steps = configuration.history.map((step, index) => ({ ...step, number: index + 1 }));
  return (
    <SpaceBetween size="l">
      {configuration.entries.length === 0 ? null : (
        <Pairs title={text.configuration} caption={text.configurationCaption} items={configuration.entries} />
      )}
      {steps.length === 0 ? null : (
        <Table
          items={steps}
          header={<Header variant="h2">{text.history}</Header>}
          ariaLabels={{ tableLabel: text.historyCaption }}
          wrapLines
          columnDefinitions={[
            { id: "step", header: text.step, isRowHeader: true, cell: ({ number }) => number },
            { id: "command", header: text.command, cell: ({ command }) => <code>{command}</code> },
            {
              id: "layer",
              header: text.layer,
              cell: ({ isEmpty }) => (isEmpty ? text.emptyLayer : strings.frame.none),
            },
          ]}
        />
      )}
    </SpaceBetween>
  );
}
