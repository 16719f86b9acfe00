import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Time, useTimeText } from "../../parts/Values";
import { strings } from "../../strings";
import { repositoryUseOptions } from "./queries";

export function Repositories() {
  const text = strings.home.repositories;
  const textOf = useTimeText();
  const query = useQuery(repositoryUseOptions);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const shown = (time: Date | undefined, isPartial: boolean) =>
    isPartial && time !== undefined ? (
      <span title={time.toISOString()}>{text.partial(textOf(time))}</span>
    ) : (
      <Time time={time} missing={isPartial ? strings.frame.none : text.never} />
    );
  return (
    <Table
      items={query.data?.items ?? []}
      loading={query.isPending}
      loadingText={strings.frame.loading}
      wrapLines
      header={
        <Header variant="h2" actions={<LinkTo to="/repositories">{text.all}</LinkTo>}>
          {text.title}
        </Header>
      }
      ariaLabels={{ tableLabel: text.caption }}
      empty={text.empty}
      columnDefinitions={[
        {
          id: "name",
          header: text.name,
          isRowHeader: true,
          cell: ({ name }) => <LinkTo to={repositoryPath(name)}>{name}</LinkTo>,
        },
        { id: "push", header: text.lastPush, cell: ({ lastPush, isPartial }) => shown(lastPush, isPartial) },
        { id: "pull", header: text.lastPull, cell: ({ lastPull, isPartial }) => shown(lastPull, isPartial) },
      ]}
    />
  );
}
