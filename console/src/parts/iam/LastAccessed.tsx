import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { generateServiceLastAccessedDetails, getServiceLastAccessedDetails } from "../../api/iam/account";
import { collect, from, markerOf } from "../../api/iam/collect";
import { strings } from "../../strings";
import { Failure } from "../Failure";
import { Time } from "../Values";

const POLL_MS = 1000;

/** Which services a user, group, role or policy used, by a job of IAM. */
export function LastAccessed({ arn }: { arn: string | undefined }) {
  const text = strings.users.accessed;
  const job = useQuery({
    queryKey: ["iam", "last-accessed", arn, "job"],
    queryFn: async () => (await generateServiceLastAccessedDetails({ Arn: arn })).JobId,
    enabled: arn !== undefined,
  });
  const report = useQuery({
    queryKey: ["iam", "last-accessed", arn, "report", job.data],
    queryFn: () => reportOf(job.data ?? ""),
    enabled: job.data !== undefined,
    refetchInterval: (query) => (query.state.data?.status === "IN_PROGRESS" ? POLL_MS : false),
  });
  const error = job.error ?? report.error;
  if (error !== null) return <Failure error={error} retry={() => void job.refetch()} />;
  if (report.data?.status === "FAILED") return <Box color="text-status-error">{text.failed}</Box>;
  return (
    <Table
      variant="container"
      items={report.data?.services ?? []}
      loading={report.data === undefined || report.data.status === "IN_PROGRESS"}
      loadingText={text.running}
      empty={<Box textAlign="center">{text.none}</Box>}
      ariaLabels={{ tableLabel: strings.users.accessed.title }}
      header={<Header description={text.description}>{text.title}</Header>}
      columnDefinitions={[
        { id: "service", header: text.service, isRowHeader: true, cell: (row) => row.name },
        { id: "when", header: text.when, cell: (row) => <Time time={row.at} missing={text.never} /> },
      ]}
    />
  );
}

async function reportOf(JobId: string) {
  let status: string | undefined;
  const found = await collect(async (marker) => {
    const answer = await getServiceLastAccessedDetails({ JobId, ...from(marker) });
    status = answer.JobStatus;
    return { items: answer.ServicesLastAccessed ?? [], marker: markerOf(answer) };
  });
  const services = found.items.map((row) => ({
    name: row.ServiceName ?? row.ServiceNamespace ?? "",
    at: row.LastAuthenticated,
  }));
  return { status, services };
}
