import Container from "@cloudscape-design/components/container";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../api/current";
import { iamChange, performAll } from "../../api/perform";
import { grantChanges } from "../../lib/iam-changes";
import { nameProblem, pathProblem } from "../../lib/names";
import { choiceProblems, hasProblems, noPermissions } from "../../lib/permissions-choice";
import { Field } from "../../parts/Field";
import { FormPage } from "../../parts/FormPage";
import { listKey } from "../../parts/iam/keys";
import { PermissionsFields } from "../../parts/iam/PermissionsFields";
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
  const changes = [
    iamChange("CreateGroup", { GroupName: name, ...(path === "" || path === "/" ? {} : { Path: path }) }),
    ...grantChanges({ kind: "group", name }, permissions, session),
  ];
  const create = useAction(() => performAll(changes), {
    stale: [listKey("groups")],
    said: () => text.made(name),
    then: () => void navigate(`/groups/${encodeURIComponent(name)}`),
  });
  const submit = () => {
    setIsSent(true);
    if (problem !== undefined || pathProblem(path) !== undefined || hasProblems(choiceProblems(permissions))) return;
    create.run(undefined);
  };
  return (
    <FormPage
      title={text.create}
      above={{ text: text.title, to: "/groups" }}
      onSubmit={submit}
      isRunning={create.isRunning}
      error={create.error}
      changes={changes}
    >
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
          <PermissionsFields choice={permissions} onChange={setPermissions} registry={session} isSent={isSent} />
        </SpaceBetween>
      </Container>
    </FormPage>
  );
}
