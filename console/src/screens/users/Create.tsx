import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../api/current";
import { Failure } from "../../parts/Failure";
import { listKey } from "../../parts/iam/keys";
import { PermissionsFields } from "../../parts/iam/PermissionsFields";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Made } from "./Made";
import { UserFields } from "./UserFields";
import { emptyUser, isValid, makeUser, type MadeUser } from "./user-draft";

/** Makes a user: access, groups and permissions, then the secret that is shown once. */
export default function CreateUser() {
  const text = strings.users;
  const session = useSession();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(emptyUser);
  const [isSent, setIsSent] = useState(false);
  const [made, setMade] = useState<MadeUser>();
  const create = useAction(() => makeUser(draft, session), {
    stale: [listKey("users"), ["iam", "group"]],
    said: () => text.created_(draft.name),
    then: setMade,
  });
  if (made !== undefined) return <Made made={made} password={draft.hasPassword ? draft.password : undefined} />;
  const submit = () => {
    setIsSent(true);
    if (isValid(draft)) create.run(undefined);
  };
  return (
    <Page title={text.create} crumbs={[{ text: text.title, to: "/users" }]}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!create.isRunning) submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate("/users")}>
                {strings.iam.cancel}
              </Button>
              <Button variant="primary" loading={create.isRunning}>
                {text.create}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <UserFields draft={draft} onChange={(part) => setDraft({ ...draft, ...part })} isSent={isSent} />
            <Container header={<Header>{strings.iam.permissions.choice}</Header>}>
              <PermissionsFields
                choice={draft.permissions}
                onChange={(permissions) => setDraft({ ...draft, permissions })}
                registry={session}
                isSent={isSent}
              />
            </Container>
            {create.error === undefined ? null : <Failure error={create.error} />}
          </SpaceBetween>
        </Form>
      </form>
    </Page>
  );
}
