import type { CreatePolicyCommandOutput } from "@aws-sdk/client-iam";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { iamChange, perform } from "../../api/perform";
import { apiTags, type TagPair } from "../../lib/iam-changes";
import { descriptionProblem, nameProblem, pathProblem, tagsProblem } from "../../lib/names";
import { isJsonObject } from "../../lib/permissions-choice";
import { Field } from "../../parts/Field";
import { FormPage } from "../../parts/FormPage";
import { listKey } from "../../parts/iam/keys";
import { TagRows } from "../../parts/iam/TagRows";
import { PolicyEdit } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** Makes a managed policy, from a template or from nothing. */
export default function CreatePolicy() {
  const text = strings.policies;
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [path, setPath] = useState("/");
  const [tags, setTags] = useState<TagPair[]>([]);
  const [document, setDocument] = useState("");
  const [isSent, setIsSent] = useState(false);
  const change = iamChange("CreatePolicy", {
    PolicyName: name,
    PolicyDocument: document,
    ...(description === "" ? {} : { Description: description }),
    ...(path === "" || path === "/" ? {} : { Path: path }),
    ...(tags.length === 0 ? {} : { Tags: apiTags(tags) }),
  });
  const create = useAction(() => perform(change) as Promise<CreatePolicyCommandOutput>, {
    stale: [listKey("policies")],
    said: () => text.made(name),
    then: ({ Policy }) => void navigate(`/policies/${encodeURIComponent(Policy?.Arn ?? "")}`),
  });
  const problem =
    nameProblem("policy", name) ?? descriptionProblem(description) ?? pathProblem(path) ?? tagsProblem(tags);
  const submit = () => {
    setIsSent(true);
    if (problem === undefined && isJsonObject(document)) create.run(undefined);
  };
  return (
    <FormPage
      title={text.create}
      above={{ text: text.title, to: "/policies" }}
      onSubmit={submit}
      isRunning={create.isRunning}
      error={create.error}
      changes={[change]}
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
        </SpaceBetween>
      </Container>
    </FormPage>
  );
}
