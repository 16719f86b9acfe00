import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import { useState } from "react";
import { useSession } from "../../api/current";
import { FormPage } from "../../parts/FormPage";
import { listKey } from "../../parts/iam/keys";
import { PermissionsFields } from "../../parts/iam/PermissionsFields";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Made } from "./Made";
import { UserFields } from "./UserFields";
import { emptyUser, isValid, makeUser, userChanges, type MadeUser } from "./user-draft";

/** Makes a user: access, groups and permissions, then the secret that is shown once. */
export default function CreateUser() {
  const text = strings.users;
  const session = useSession();
  const [draft, setDraft] = useState(emptyUser);
  const [isSent, setIsSent] = useState(false);
  const [made, setMade] = useState<MadeUser>();
  const create = useAction(() => makeUser(draft, session), {
    stale: [listKey("users"), ["iam", "group"]],
    said: () => text.created_(draft.name),
    then: setMade,
  });
  if (made !== undefined) return <Made made={made} password={draft.hasPassword ? draft.password : undefined} />;
  return (
    <FormPage
      title={text.create}
      above={{ text: text.title, to: "/users" }}
      onSubmit={() => {
        setIsSent(true);
        if (isValid(draft)) create.run(undefined);
      }}
      isRunning={create.isRunning}
      error={create.error}
      changes={userChanges(draft, session)}
    >
      <UserFields draft={draft} onChange={(part) => setDraft({ ...draft, ...part })} isSent={isSent} />
      <Container header={<Header>{strings.iam.permissions.choice}</Header>}>
        <PermissionsFields
          choice={draft.permissions}
          onChange={(permissions) => setDraft({ ...draft, permissions })}
          registry={session}
          isSent={isSent}
        />
      </Container>
    </FormPage>
  );
}
