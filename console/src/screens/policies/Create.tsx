import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../api/current";
import type { TagPair } from "../../api/iam/holder";
import { createPolicy } from "../../api/iam/policies";
import { descriptionProblem, nameProblem, pathProblem, tagsProblem } from "../../lib/names";
import { isJsonObject } from "../../lib/permissions-choice";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { listKey } from "../../parts/iam/keys";
import { TagRows } from "../../parts/iam/TagRows";
import { Page } from "../../parts/Page";
import { PolicyEdit } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Templates } from "./Templates";

/** Makes a managed policy, from a template or from nothing. */
export default function CreatePolicy() {
  const text = strings.policies;
  const session = useSession();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [path, setPath] = useState("/");
  const [tags, setTags] = useState<TagPair[]>([]);
  const [document, setDocument] = useState("");
  const [isSent, setIsSent] = useState(false);
  const Tags = tags.map(({ key, value }) => ({ Key: key, Value: value }));
  const create = useAction(
    () =>
      createPolicy({
        PolicyName: name,
        PolicyDocument: document,
        ...(description === "" ? {} : { Description: description }),
        ...(path === "" || path === "/" ? {} : { Path: path }),
        ...(Tags.length === 0 ? {} : { Tags }),
      }),
    {
      stale: [listKey("policies")],
      said: () => text.made(name),
      then: ({ Policy }) => void navigate(`/policies/${encodeURIComponent(Policy?.Arn ?? "")}`),
    },
  );
  const problem =
    nameProblem("policy", name) ?? descriptionProblem(description) ?? pathProblem(path) ?? tagsProblem(tags);
  const submit = () => {
    setIsSent(true);
    if (problem === undefined && isJsonObject(document)) create.run(undefined);
  };
  return (
    <Page title={text.create} crumbs={[{ text: text.title, to: "/policies" }]}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!create.isRunning) submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate("/policies")}>
                {strings.iam.cancel}
              </Button>
              <Button variant="primary" loading={create.isRunning}>
                {text.create}
              </Button>
            </SpaceBetween>
          }
        >
          <Container>
            <SpaceBetween size="l">
              <Field
                label={text.name}
                value={name}
                onChange={setName}
                constraint={strings.iam.nameHint(128)}
                problem={nameProblem("policy", name)}
                isShown={isSent}
              />
              <Field
                label={strings.iam.description}
                value={description}
                onChange={setDescription}
                problem={descriptionProblem(description)}
                isOptional
              />
              <Templates registry={session} onChange={setDocument} />
              <PolicyEdit
                label={strings.iam.permissions.document}
                value={document}
                onChange={setDocument}
                error={isSent && !isJsonObject(document) ? strings.iam.permissions.notJson : undefined}
              />
              <ExpandableSection headerText={strings.users.advanced}>
                <SpaceBetween size="m">
                  <Field
                    label={strings.iam.path}
                    value={path}
                    onChange={setPath}
                    constraint={strings.iam.pathHint}
                    problem={pathProblem(path)}
                  />
                  <TagRows tags={tags} onChange={setTags} />
                </SpaceBetween>
              </ExpandableSection>
              {create.error === undefined ? null : <Failure error={create.error} />}
            </SpaceBetween>
          </Container>
        </Form>
      </form>
    </Page>
  );
}
