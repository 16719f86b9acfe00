import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import type { LifecyclePreview as Preview } from "../../api/lifecycle";
import { Failure } from "../../parts/Failure";
import { Pager } from "../../parts/Pager";
import { Digest, Time } from "../../parts/Values";
import { usePaging } from "../../parts/useUrlState";
import { strings } from "../../strings";
import { TagChips } from "./imageColumns";
import { lifecyclePreviewQuery } from "./queries";

const text = strings.lifecycle.preview;

/** The last preview: on which images the previewed policy would act. */
export function LifecyclePreview({ name }: { name: string }) {
  const paging = usePaging();
  const query = useQuery(lifecyclePreviewQuery(name, paging.token));
  if (query.error !== null) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const preview = query.data ?? null;
  return (
    <Table
      variant="container"
      loading={query.isPending}
      loadingText={strings.frame.loading}
      items={preview?.results ?? []}
      trackBy="imageDigest"
      wrapLines
      ariaLabels={{ tableLabel: text.caption }}
      header={
        <Header variant="h2" description={preview === null ? "" : summary(preview)}>
          {text.title}
        </Header>
      }
      empty={<State preview={preview} />}
      pagination={<Pager paging={paging} nextToken={preview?.next} isLoading={query.isPending} />}
      columnDefinitions={[
        {
          id: "image",
          header: text.columns.image,
          isRowHeader: true,
          cell: ({ imageDigest = "" }) => <Digest digest={imageDigest} />,
        },
        {
          id: "tags",
          header: text.columns.tags,
          cell: ({ imageTags = [] }) => <TagChips tags={imageTags} isImmutable={false} />,
        },
        { id: "pushed", header: text.columns.pushed, cell: ({ imagePushedAt }) => <Time time={imagePushedAt} /> },
        {
          id: "action",
          header: text.columns.action,
          cell: ({ action }) => strings.lifecycle.actions[action?.type === "TRANSITION" ? "transition" : "expire"],
        },
        { id: "rule", header: text.columns.rule, cell: ({ appliedRulePriority }) => appliedRulePriority },
      ]}
    />
  );
}

function summary(preview: Preview): string {
  return preview.status === "COMPLETE" ? text.summary(preview.expiring, preview.archiving) : "";
}

function State({ preview }: { preview: Preview | null }) {
  if (preview === null) return <Box>{text.none}</Box>;
  switch (preview.status) {
    case "IN_PROGRESS":
      return <StatusIndicator type="in-progress">{text.running}</StatusIndicator>;
    case "FAILED":
      return <StatusIndicator type="error">{text.failed}</StatusIndicator>;
    case "EXPIRED":
      return <Box>{text.expired}</Box>;
    default:
      return <Box>{text.empty}</Box>;
  }
}
