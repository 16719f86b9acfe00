import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../api/current";
import { createGroup } from "../../api/iam/groups";
import { grant } from "../../api/iam/grant";
import { nameProblem, pathProblem } from "../../lib/names";
import { choiceProblems, hasProblems, noPermissions } from "../../lib/permissions-choice";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { listKey } from "../../parts/iam/keys";
import { PermissionsFields } from "../../parts/iam/PermissionsFields";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** Makes a group with its permissions. */
export default function CreateGroup() {
  const text = strings.groups;
  const session = useSession();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [path, setPath] = useState("/");
  const [permissions, setPermissions] = useState(noPermissions);
  const [isSent, setIsSent] = useState(false);
  const problem = nameProblem("group", name);
  const create = useAction(
    async () => {
      await createGroup({ GroupName: name, ...(path === "" || path === "/" ? {} : { Path: path }) });
      await grant({ kind: "group", name }, permissions, session);
    },
    {
      stale: [listKey("groups")],
      said: () => text.made(name),
      then: () => void navigate(`/groups/${encodeURIComponent(name)}`),
    },
  );
  const submit = () => {
    setIsSent(true);
    if (problem !== undefined || pathProblem(path) !== undefined || hasProblems(choiceProblems(permissions))) return;
    create.run(undefined);
  };
  return (
    <Page title={text.create} crumbs={[{ text: text.title, to: "/groups" }]}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!create.isRunning) submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate("/groups")}>
                {strings.iam.cancel}
              </Button>
              <Button variant="primary" loading={create.isRunning}>
                {text.create}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <Container>
              <SpaceBetween size="l">
                <Field
                  label={text.name}
                  value={name}
                  onChange={setName}
                  constraint={strings.iam.nameHint(128)}
                  problem={problem}
                  isShown={isSent}
                />
                <Field
                  label={strings.iam.path}
                  value={path}
                  onChange={setPath}
                  constraint={strings.iam.pathHint}
                  problem={pathProblem(path)}
                  isOptional
                />
                <PermissionsFields
                  choice={permissions}
                  onChange={setPermissions}
                  registry={session}
                  isSent={isSent}
                />
              </SpaceBetween>
            </Container>
            {create.error === undefined ? null : <Failure error={create.error} />}
          </SpaceBetween>
        </Form>
      </form>
    </Page>
  );
}
