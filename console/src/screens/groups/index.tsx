import { from, markerOf } from "../../api/iam/collect";
import { listGroups } from "../../api/iam/groups";
import { IamTable } from "../../parts/iam/IamTable";
import { listKey } from "../../parts/iam/keys";
import { LinkButton } from "../../parts/iam/LinkButton";
import { Time } from "../../parts/Values";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";

/** The groups, page by page. */
export default function Groups() {
  const text = strings.groups;
  return (
    <Page title={text.title} description={text.description}>
      <IamTable
        queryKey={listKey("groups")}
        what={text.what}
        title={text.title}
        load={async (marker, MaxItems, signal) => {
          const answer = await listGroups({ MaxItems, ...from(marker) }, signal);
          return { items: answer.Groups ?? [], marker: markerOf(answer) };
        }}
        nameOf={(group) => group.GroupName ?? ""}
        actions={
          <LinkButton to="/groups/create" variant="primary">
            {text.create}
          </LinkButton>
        }
        columns={[
          {
            id: "name",
            header: text.name,
            isRowHeader: true,
            cell: ({ GroupName = "" }) => <LinkTo to={`/groups/${encodeURIComponent(GroupName)}`}>{GroupName}</LinkTo>,
          },
          { id: "path", header: strings.iam.path, cell: (group) => group.Path },
          { id: "created", header: strings.iam.created, cell: (group) => <Time time={group.CreateDate} /> },
        ]}
      />
    </Page>
  );
}
