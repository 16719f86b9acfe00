import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Icon from "@cloudscape-design/components/icon";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import type { ImageDetail } from "../../api/ecr";
import type { ImageActivity } from "../../api/history";
import { shortDigest } from "../../lib/format";
import type { ImageNode } from "../../lib/image-tree";
import { artifactKind } from "../../lib/manifest";
import { repositoryPath } from "../../lib/paths";
import { LinkTo } from "../../parts/LinkTo";
import { Size, Time } from "../../parts/Values";
import { strings } from "../../strings";

/** Tags as chips; `isImmutable` marks those that cannot move. */
export function TagChips({ tags, isImmutable }: { tags: string[]; isImmutable: boolean }) {
  const text = strings.repository.images;
  if (tags.length === 0) return <>{text.untagged}</>;
  return (
    <SpaceBetween size="xxs" direction="horizontal">
      {tags.map((tag) => (
        <Badge key={tag} color="blue">
          <span style={{ whiteSpace: "nowrap" }}>
            {tag}
            {isImmutable ? <> <Icon name="lock-private" size="small" ariaLabel={text.immutable} /></> : null}
          </span>
        </Badge>
      ))}
    </SpaceBetween>
  );
}

/** By whom it was done, where that is known: the end of the ARN, with all of it on hover. */
function By({ arn }: { arn: string | undefined }) {
  if (arn === undefined) return null;
  return (
    <Box variant="small" display="block">
      {strings.activity.by} <span title={arn}>{arn.slice(arn.lastIndexOf(":") + 1)}</span>
    </Box>
  );
}

/** The columns of a repository's images. */
export function imageColumns(
  name: string,
  isImmutable: boolean,
  activity: Map<string, ImageActivity>,
): TableProps.ColumnDefinition<ImageNode<ImageDetail>>[] {
  const text = strings.repository.images;
  const { columns, kinds, never } = text;
  return [
    {
      id: "image",
      header: columns.image,
      isRowHeader: true,
      cell: ({ digest }) => (
        <LinkTo to={repositoryPath(name, { tab: "images", image: digest })}>{shortDigest(digest)}</LinkTo>
      ),
    },
    {
      id: "tags",
      header: columns.tags,
      cell: ({ image }) => <TagChips tags={image.imageTags ?? []} isImmutable={isImmutable} />,
    },
    {
      id: "kind",
      header: columns.kind,
      cell: ({ image }) => kinds[artifactKind(image.imageManifestMediaType, image.artifactMediaType)],
    },
    { id: "platform", header: columns.platform, cell: ({ platform }) => platform ?? strings.frame.none },
    { id: "size", header: columns.size, cell: ({ image }) => <Size bytes={image.imageSizeInBytes} /> },
    {
      id: "pushed",
      header: columns.pushed,
      cell: ({ digest, image }) => (
        <>
          <Time time={image.imagePushedAt} />
          <By arn={activity.get(digest)?.pushedBy} />
        </>
      ),
    },
    {
      id: "pulled",
      header: columns.pulled,
      cell: ({ digest, image }) => (
        <>
          <Time time={image.lastRecordedPullTime} missing={never} />
          <By arn={activity.get(digest)?.lastPulledBy} />
        </>
      ),
    },
  ];
}
