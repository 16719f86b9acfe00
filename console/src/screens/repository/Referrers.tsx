import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useInfiniteQuery } from "@tanstack/react-query";
import { listReferrers } from "../../api/ecr";
import { shortDigest } from "../../lib/format";
import { artifactKind } from "../../lib/manifest";
import { repositoryPath } from "../../lib/paths";
import { Failure } from "../../parts/Failure";
import { LinkTo } from "../../parts/LinkTo";
import { Size } from "../../parts/Values";
import { strings } from "../../strings";
import { repositoryKey } from "./queries";

/** Signatures, SBOMs and attestations of an image. */
export function Referrers({ name, digest }: { name: string; digest: string }) {
  const { image: text, images } = strings.repository;
  const query = useInfiniteQuery({
    queryKey: [...repositoryKey(name), "referrers", digest],
    queryFn: ({ pageParam }) => listReferrers(name, digest, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextToken,
  });
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <Table
      items={query.data?.pages.flatMap((page) => page.items) ?? []}
      loading={query.isPending}
      loadingText={strings.frame.loading}
      header={<Header variant="h2">{text.referrers}</Header>}
      ariaLabels={{ tableLabel: text.referrersCaption }}
      wrapLines
      empty={text.noReferrers}
      footer={
        query.hasNextPage ? (
          <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {text.more}
          </Button>
        ) : undefined
      }
      columnDefinitions={[
        {
          id: "digest",
          header: text.digest,
          isRowHeader: true,
          cell: ({ digest: referrer = "" }) => (
            <LinkTo to={repositoryPath(name, { tab: "images", image: referrer })}>{shortDigest(referrer)}</LinkTo>
          ),
        },
        {
          id: "kind",
          header: images.columns.kind,
          cell: ({ mediaType, artifactType }) => images.kinds[artifactKind(mediaType, artifactType)],
        },
        { id: "type", header: text.artifactType, cell: ({ artifactType }) => artifactType ?? strings.frame.none },
        { id: "size", header: text.size, cell: ({ size }) => <Size bytes={size} /> },
      ]}
    />
  );
}
