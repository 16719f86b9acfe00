import { from, markerOf } from "../../api/iam/collect";
import { listRoles } from "../../api/iam/roles";
import { decodeDocument } from "../../lib/trust/document";
import { recognize } from "../../lib/trust/entity";
import { IamTable } from "../../parts/iam/IamTable";
import { listKey } from "../../parts/iam/keys";
import { LinkButton } from "../../parts/iam/LinkButton";
import { Time } from "../../parts/Values";
import { LinkTo } from "../../parts/LinkTo";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";

/** The roles, page by page. */
export default function Roles() {
  const text = strings.roles;
  return (
    <Page title={text.title} description={text.description}>
      <IamTable
        queryKey={listKey("roles")}
        what={text.what}
        title={text.title}
        load={async (marker, MaxItems, signal) => {
          const answer = await listRoles({ MaxItems, ...from(marker) }, signal);
          return { items: answer.Roles ?? [], marker: markerOf(answer) };
        }}
        nameOf={(role) => role.RoleName ?? ""}
        actions={
          <LinkButton to="/roles/create" variant="primary">
            {text.create}
          </LinkButton>
        }
        columns={[
          {
            id: "name",
            header: text.name,
            isRowHeader: true,
            cell: ({ RoleName = "" }) => <LinkTo to={`/roles/${encodeURIComponent(RoleName)}`}>{RoleName}</LinkTo>,
          },
          {
            id: "trusted",
            header: text.trusted,
            cell: (role) => text.kinds[recognize(decodeDocument(role.AssumeRolePolicyDocument ?? "")).kind],
          },
          { id: "description", header: strings.iam.description, cell: (role) => role.Description ?? strings.iam.none },
          { id: "created", header: strings.iam.created, cell: (role) => <Time time={role.CreateDate} /> },
        ]}
      />
    </Page>
  );
}
