import Alert from "@cloudscape-design/components/alert";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { strings } from "../../strings";
import { usersQuery } from "./queries";

const text = strings.keys.usedBy;

/** The repositories that are encrypted under the key. */
export function UsedBy({ arn }: { arn: string }) {
  const query = useQuery(usersQuery());
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const names = query.data?.byKey.get(arn) ?? [];
  return (
    <>
      {query.data?.isPartial === true ? <Alert type="info">{text.partial}</Alert> : null}
      <Table
        items={names.map((name) => ({ name }))}
        trackBy="name"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        header={
          <Header variant="h2" counter={`(${names.length})`}>
            {text.title}
          </Header>
        }
        ariaLabels={{ tableLabel: text.caption }}
        columnDefinitions={[
          {
            id: "name",
            header: text.repository,
            isRowHeader: true,
            cell: ({ name }) => <LinkTo to={repositoryPath(name)}>{name}</LinkTo>,
          },
        ]}
        empty={text.empty}
      />
    </>
  );
}
