import { listUsers } from "../../api/iam/users";
import { from, markerOf } from "../../api/iam/collect";
import { IamTable } from "../../parts/iam/IamTable";
import { listKey } from "../../parts/iam/keys";
import { LinkTo } from "../../parts/LinkTo";
import { LinkButton } from "../../parts/iam/LinkButton";
import { Page } from "../../parts/Page";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";

/** The users, page by page. */
export default function Users() {
  const text = strings.users;
  return (
    <Page title={text.title} description={text.description}>
      <IamTable
        queryKey={listKey("users")}
        what={text.what}
        title={text.title}
        load={async (marker, MaxItems, signal) => {
          const answer = await listUsers({ MaxItems, ...from(marker) }, signal);
          return { items: answer.Users ?? [], marker: markerOf(answer) };
        }}
        nameOf={(user) => user.UserName ?? ""}
        actions={
          <LinkButton to="/users/create" variant="primary">
            {text.create}
          </LinkButton>
        }
        columns={[
          {
            id: "name",
            header: text.name,
            isRowHeader: true,
            cell: ({ UserName = "" }) => <LinkTo to={`/users/${encodeURIComponent(UserName)}`}>{UserName}</LinkTo>,
          },
          { id: "path", header: text.path, cell: (user) => user.Path },
          { id: "created", header: text.created, cell: (user) => <Time time={user.CreateDate} /> },
          {
            id: "password",
            header: text.passwordLastUsed,
            cell: (user) => <Time time={user.PasswordLastUsed} missing={strings.iam.never} />,
          },
        ]}
      />
    </Page>
  );
}
