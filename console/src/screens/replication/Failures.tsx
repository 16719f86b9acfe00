import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useInfiniteQuery } from "@tanstack/react-query";
import { failedResults } from "../../api/replication";
import { shortDigest } from "../../lib/format";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { strings } from "../../strings";
import { BACKFILLS } from "./queries";

const text = strings.replication.backfills;

/** The images that a backfill could not replicate, and why. */
export function Failures({ id, onClose }: { id: string; onClose: () => void }) {
  const query = useInfiniteQuery({
    queryKey: [...BACKFILLS, "results", id],
    queryFn: ({ pageParam }) => failedResults(id, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextToken,
  });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <Table
      items={query.data?.pages.flatMap((page) => page.items) ?? []}
      loading={query.isPending}
      loadingText={strings.frame.loading}
      wrapLines
      ariaLabels={{ tableLabel: text.failuresCaption }}
      header={
        <Header
          variant="h3"
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button onClick={onClose}>{strings.frame.close}</Button>
            </SpaceBetween>
          }
        >
          {text.failuresTitle(id)}
        </Header>
      }
      footer={
        query.hasNextPage ? (
          <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {strings.repository.image.more}
          </Button>
        ) : undefined
      }
      columnDefinitions={[
        { id: "repository", header: text.repository, isRowHeader: true, cell: ({ repositoryName }) => repositoryName },
        {
          id: "image",
          header: text.image,
          cell: ({ repositoryName = "", imageId }) => {
            const digest = imageId?.imageDigest ?? "";
            return (
              <LinkTo to={repositoryPath(repositoryName, { tab: "images", image: digest })}>
                {imageId?.imageTag ?? shortDigest(digest)}
              </LinkTo>
            );
          },
        },
        {
          id: "code",
          header: text.code,
          cell: ({ failureCode, subImageFailureCodes = [] }) =>
            [failureCode ?? "", ...subImageFailureCodes].filter((code) => code !== "").join(", "),
        },
      ]}
      empty={text.noFailures}
    />
  );
}
