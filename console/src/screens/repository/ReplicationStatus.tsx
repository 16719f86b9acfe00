import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { statusType } from "../../lib/replication";
import { Failure } from "../../parts/Failure";
import { strings } from "../../strings";
import { replicationQuery } from "./queries";

const text = strings.replication.status;

/** What became of an image at the registries that it is replicated to; nothing for one that is not. */
export function ReplicationStatus({ name, digest }: { name: string; digest: string }) {
  const query = useQuery(replicationQuery(name, digest));
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined || query.data.length === 0) return null;
  return (
    <Table
      items={query.data}
      wrapLines
      header={<Header variant="h2">{text.title}</Header>}
      ariaLabels={{ tableLabel: text.caption }}
      columnDefinitions={[
        { id: "region", header: text.region, isRowHeader: true, cell: ({ region }) => region },
        { id: "account", header: text.account, cell: ({ registryId }) => registryId },
        {
          id: "status",
          header: text.status,
          cell: ({ status }) => (
            <StatusIndicator type={statusType(status)}>{text.states[status ?? ""] ?? status}</StatusIndicator>
          ),
        },
        { id: "failure", header: text.failure, cell: ({ failureCode }) => failureCode ?? strings.frame.none },
      ]}
    />
  );
}
