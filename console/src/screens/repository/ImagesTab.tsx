import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, noop, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { ImageDetail } from "../../api/ecr";
import type { ImageActivity } from "../../api/history";
import { shortDigest } from "../../lib/format";
import { imageTree, type ImageNode } from "../../lib/image-tree";
import { artifactKind } from "../../lib/manifest";
import { Failure } from "../../parts/Failure";
import { Pager } from "../../parts/Pager";
import { usePaging, useUrlState } from "../../parts/useUrlState";
import { strings } from "../../strings";
import { DeleteImages } from "./DeleteImages";
import { GoToTag } from "./GoToTag";
import { ImagePanel } from "./ImagePanel";
import { imageColumns } from "./imageColumns";
import { activityQuery, imagesQuery, manifestsQuery, repositoryKey } from "./queries";
import type { TabProps } from "./tabs";

export default function ImagesTab(props: TabProps) {
  const [digest] = useUrlState("image");
  return digest === "" ? <Images {...props} /> : <ImagePanel {...props} digest={digest} />;
}

/** Rows of a page. */
const PAGE_SIZE = 100;
type Node = ImageNode<ImageDetail>;

function Images({ name, repository }: TabProps) {
  const text = strings.repository.images;
  const paging = usePaging();
  const queries = useQueryClient();
  const [selected, setSelected] = useState<Node[]>([]);
  const [expanded, setExpanded] = useState<Node[]>([]);
  const [isDeleting, setIsDeleting] = useState(false);
  const query = useQuery({ ...imagesQuery(name, paging.token, PAGE_SIZE), placeholderData: keepPreviousData });
  const nextToken = query.data?.nextToken;
  useEffect(() => {
    if (nextToken !== undefined) queries.query(imagesQuery(name, nextToken, PAGE_SIZE)).catch(noop);
  }, [nextToken, name, queries]);
  const images = useMemo(() => query.data?.items ?? [], [query.data]);
  const indexes = useMemo(
    () =>
      images.flatMap(({ imageDigest, imageManifestMediaType, artifactMediaType }) =>
        imageDigest !== undefined && artifactKind(imageManifestMediaType, artifactMediaType) === "index"
          ? [imageDigest]
          : [],
      ),
    [images],
  );
  const manifests = useQuery(manifestsQuery(name, indexes));
  // Who may not see it sees the images without it.
  const activity = useQuery(activityQuery(name, images.flatMap(({ imageDigest }) => imageDigest ?? [])));
  const tree = useMemo(() => imageTree(images, manifests.data ?? new Map<string, string>()), [images, manifests.data]);
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <SpaceBetween size="m">
      {manifests.error === null ? null : (
        <div>
          <Box variant="p">{text.treeDenied}</Box>
          <Failure error={manifests.error} />
        </div>
      )}
      <Table
        items={tree}
        columnDefinitions={imageColumns(
          name,
          repository.imageTagMutability?.startsWith("IMMUTABLE") ?? false,
          activity.data ?? new Map<string, ImageActivity>(),
        )}
        trackBy="digest"
        loading={query.isPending}
        loadingText={strings.frame.loading}
        wrapLines
        selectionType="multi"
        selectedItems={selected}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        expandableRows={{
          getItemChildren: (node) => node.children,
          isItemExpandable: (node) => node.children.length > 0,
          expandedItems: expanded,
          onExpandableItemToggle: ({ detail: { item, expanded: isOpen } }) =>
            setExpanded((known) => [...known.filter((node) => node.digest !== item.digest), ...(isOpen ? [item] : [])]),
        }}
        ariaLabels={{
          tableLabel: text.caption,
          selectionGroupLabel: text.caption,
          allItemsSelectionLabel: () => text.caption,
          itemSelectionLabel: (_, node) => text.select(shortDigest(node.digest)),
          expandButtonLabel: (node) => text.expand(shortDigest(node.digest)),
          collapseButtonLabel: (node) => text.collapse(shortDigest(node.digest)),
        }}
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween size="xs" direction="horizontal">
                <Button
                  iconName="refresh"
                  ariaLabel={text.refresh}
                  onClick={() => void queries.invalidateQueries({ queryKey: repositoryKey(name) })}
                />
                <Button disabled={selected.length === 0} onClick={() => setIsDeleting(true)}>
                  {text.delete}
                </Button>
              </SpaceBetween>
            }
          >
            {text.tab}
          </Header>
        }
        filter={<GoToTag name={name} />}
        pagination={<Pager paging={paging} nextToken={nextToken} isLoading={query.isPlaceholderData} />}
        empty={
          <Box textAlign="center" padding="l">
            <Box variant="strong">{text.empty}</Box>
            <Box variant="p">{text.emptyHint}</Box>
          </Box>
        }
      />
      {isDeleting ? (
        <DeleteImages
          name={name}
          images={selected.map((node) => node.image)}
          onClose={() => {
            setIsDeleting(false);
            setSelected([]);
          }}
        />
      ) : null}
    </SpaceBetween>
  );
}
