import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listTagHistory, type TagEvent } from "../../api/history";
import { shortDigest } from "../../lib/format";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Pager } from "../../parts/Pager";
import { usePaging, useUrlState } from "../../parts/useUrlState";
import { useTyped } from "../../parts/useTyped";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";
import { RestoreTag } from "./RestoreTag";

const text = strings.activity;

/** The moves of a repository's tags, with a way back to each image that is still there. */
export function TagMoves({ name }: { name: string }) {
  const paging = usePaging();
  const [tag] = useUrlState("tag");
  const [typed, setTyped] = useTyped(tag, (written) => paging.filter("tag", written.trim()));
  const [restoring, setRestoring] = useState<TagEvent>();
  const query = useQuery({
    queryKey: [...repositoryKey(name), "tag-history", tag, paging.token],
    queryFn: ({ signal }) => listTagHistory(name, tag, paging.token, signal),
  });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      <Table
        items={query.data?.items ?? []}
        columnDefinitions={columns(name, setRestoring)}
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        ariaLabels={{ tableLabel: text.movesCaption }}
        header={<Header variant="h2">{text.moves}</Header>}
        filter={
          <FormField label={text.tag}>
            <Input
              type="search"
              value={typed}
              placeholder={text.tagHint}
              onChange={({ detail }) => setTyped(detail.value)}
            />
          </FormField>
        }
        pagination={<Pager paging={paging} nextToken={query.data?.nextToken} isLoading={query.isPlaceholderData} />}
        empty={text.noMoves}
      />
      {restoring?.imageDigest === undefined ? null : (
        <RestoreTag
          name={name}
          tag={restoring.imageTag}
          digest={restoring.imageDigest}
          onClose={() => setRestoring(undefined)}
        />
      )}
    </>
  );
}

/** An image by its short digest; a link while it is there. */
function Image({ name, digest, exists }: { name: string; digest: string | undefined; exists: boolean }) {
  if (digest === undefined) return <>{strings.frame.none}</>;
  if (!exists) return <span title={digest}>{shortDigest(digest)}</span>;
  return <LinkTo to={repositoryPath(name, { tab: "images", image: digest })}>{shortDigest(digest)}</LinkTo>;
}

/** Who did it, in words. */
function who({ principalArn, sessionName, serviceName }: TagEvent): string {
  if (principalArn === undefined) return serviceName ?? strings.frame.none;
  return sessionName === undefined ? principalArn : text.session(principalArn, sessionName);
}

function columns(name: string, restore: (event: TagEvent) => void): TableProps.ColumnDefinition<TagEvent>[] {
  return [
    { id: "time", header: text.columns.time, cell: (event) => <Time time={new Date(event.eventTime * 1000)} /> },
    { id: "tag", header: text.columns.tag, isRowHeader: true, cell: (event) => event.imageTag },
    { id: "what", header: text.columns.what, cell: (event) => text.methods[event.method] },
    {
      id: "from",
      header: text.columns.from,
      cell: (event) => <Image name={name} digest={event.previousImageDigest} exists={false} />,
    },
    {
      id: "to",
      header: text.columns.to,
      cell: (event) => <Image name={name} digest={event.imageDigest} exists={event.imageExists === true} />,
    },
    { id: "who", header: text.columns.who, cell: who },
    {
      id: "restore",
      minWidth: 120,
      header: text.columns.restore,
      cell: (event) =>
        event.imageDigest === undefined ? null : event.imageExists === true ? (
          <Button
            variant="inline-link"
            ariaLabel={text.restoreLabel(event.imageTag, shortDigest(event.imageDigest))}
            onClick={() => restore(event)}
          >
            {text.restore}
          </Button>
        ) : (
          text.gone
        ),
    },
  ];
}
