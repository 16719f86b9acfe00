import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Loading } from "../../app/Loading";
import { getUsage } from "../../api/history";
import { lastDays } from "../../lib/days";
import { Failure } from "../../parts/Failure";
import { Page } from "../../parts/Page";
import { useUrlState } from "../../parts/useUrlState";
import { Size } from "../../parts/Values";
import { strings } from "../../strings";
import { PrincipalTable, RepositoryTable } from "./Tables";

// The charts are the largest part of Cloudscape.
const UsageCharts = lazy(() => import("./UsageCharts"));

const text = strings.usage;
const DEFAULT_DAYS = "30";

/** What the account stores and transfers: as numbers, over time, by repository and by principal. */
export default function UsagePage() {
  const [days, setDays] = useUrlState("days", DEFAULT_DAYS);
  const options = Object.entries(text.periods).map(([value, label]) => ({ value, label }));
  const period = options.find(({ value }) => value === days) ?? options.find(({ value }) => value === DEFAULT_DAYS);
  const range = lastDays(Number(period?.value ?? DEFAULT_DAYS), new Date());
  const query = useQuery({
    queryKey: ["usage", range],
    queryFn: ({ signal }) => getUsage(range, signal),
  });
  return (
    <Page title={text.title} description={text.description}>
      <SpaceBetween size="l">
        <FormField label={text.period}>
          <Select
            selectedOption={period ?? null}
            options={options}
            onChange={({ detail }) => setDays(detail.selectedOption.value ?? DEFAULT_DAYS)}
          />
        </FormField>
        {query.error !== null ? <Failure error={query.error} retry={() => void query.refetch()} /> : null}
        {query.data === undefined ? (
          query.error === null ? <Loading /> : null
        ) : (
          <SpaceBetween size="l">
            <Container header={<Header variant="h2">{text.now}</Header>}>
              <KeyValuePairs
                columns={3}
                items={[
                  { label: text.stored, value: <Size bytes={query.data.storedBytes} /> },
                  { label: text.sent, value: <Size bytes={query.data.sentBytes} /> },
                  { label: text.received, value: <Size bytes={query.data.receivedBytes} /> },
                  { label: text.repositories, value: query.data.repositoryCount.toLocaleString() },
                  { label: text.images, value: query.data.imageCount.toLocaleString() },
                ]}
              />
            </Container>
            <Suspense fallback={<Loading />}>
              <UsageCharts days={query.data.days} />
            </Suspense>
          </SpaceBetween>
        )}
        <Box>
          <RepositoryTable range={range} />
        </Box>
        <Box>
          <PrincipalTable range={range} />
        </Box>
      </SpaceBetween>
    </Page>
  );
}
