import AreaChart from "@cloudscape-design/components/area-chart";
import BarChart from "@cloudscape-design/components/bar-chart";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { UsageDay } from "../../api/history";
import { formatSize } from "../../lib/format";
import { strings } from "../../strings";

const text = strings.usage;
const HEIGHT = 200;

/** What was stored and transferred, day by day. */
export default function UsageCharts({ days }: { days: UsageDay[] }) {
  const domain = days.map(({ day }) => day);
  const common = {
    xScaleType: "categorical",
    xDomain: domain,
    xTitle: text.day,
    yTitle: text.bytes,
    height: HEIGHT,
    hideFilter: true,
    empty: text.noData,
    noMatch: text.noData,
    i18nStrings: { yTickFormatter: formatSize, chartAriaRoleDescription: text.chart },
  } as const;
  const series = (title: string, of: (day: UsageDay) => number) => ({
    title,
    data: days.map((day) => ({ x: day.day, y: of(day) })),
    valueFormatter: formatSize,
  });
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{text.chartStored}</Header>}>
        <AreaChart
          {...common}
          ariaLabel={text.chartStored}
          series={[{ type: "area", ...series(text.stored, (day) => day.storedBytes) }]}
        />
      </Container>
      <Container header={<Header variant="h2">{text.chartTransfer}</Header>}>
        <BarChart
          {...common}
          ariaLabel={text.chartTransfer}
          stackedBars
          series={[
            { type: "bar", ...series(text.sent, (day) => day.sentBytes) },
            { type: "bar", ...series(text.received, (day) => day.receivedBytes) },
          ]}
        />
      </Container>
    </SpaceBetween>
  );
}
