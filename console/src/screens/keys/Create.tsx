import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import type { Key } from "../../api/kms";
import { perform } from "../../api/perform";
import { createAlias, createChanges, createKey, DESCRIPTION_MAX, EMPTY_KEY, isAlias, type KeyForm } from "../../lib/keys";
import { tagsProblem } from "../../lib/names";
import { Field } from "../../parts/Field";
import { FormPage } from "../../parts/FormPage";
import { TagRows } from "../../parts/iam/TagRows";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { KEYS, keyPath } from "./queries";

const text = strings.keys;

export default function CreateKey() {
  const navigate = useNavigate();
  const [form, setForm] = useState(EMPTY_KEY);
  const [wasTried, setWasTried] = useState(false);
  // Of a key whose alias was refused: another attempt makes no second one.
  const [made, setMade] = useState<string>();
  const set = (change: Partial<KeyForm>) => setForm({ ...form, ...change });
  const alias = form.alias.trim();
  const isAliasWrong = alias !== "" && !isAlias(alias);
  const isTooLong = form.description.length > DESCRIPTION_MAX;
  const tagProblem = tagsProblem(form.tags);
  const create = useAction(
    async () => {
      const id = made ?? ((await perform(createKey(form))) as { KeyMetadata: Key }).KeyMetadata.KeyId;
      setMade(id);
      if (alias !== "") await perform(createAlias(alias, id));
      return id;
    },
    { stale: [KEYS], said: () => text.created, then: (id) => void navigate(keyPath(id)) },
  );
  return (
    <FormPage
      title={text.create}
      above={{ text: text.title, to: "/keys" }}
      onSubmit={() => {
        setWasTried(true);
        if (!isAliasWrong && !isTooLong && tagProblem === undefined) create.run(undefined);
      }}
      isRunning={create.isRunning}
      error={create.error}
      changes={createChanges(form)}
    >
      <SpaceBetween size="l">
        <Container header={<Header variant="h2">{text.details}</Header>}>
          <SpaceBetween size="l">
            <Field
              label={text.alias}
              value={form.alias}
              onChange={(value) => set({ alias: value })}
              constraint={text.aliasHint}
              error={isAliasWrong ? text.aliasError : undefined}
              isOptional
            />
            <Field
              label={text.summary}
              value={form.description}
              onChange={(description) => set({ description })}
              error={isTooLong ? text.summaryError : undefined}
              isOptional
            />
            {alias === "" ? null : <Box color="text-body-secondary">{text.aliasCommand}</Box>}
          </SpaceBetween>
        </Container>
        <Container header={<Header variant="h2">{text.tags}</Header>}>
          <TagRows tags={form.tags} onChange={(tags) => set({ tags })} />
          {wasTried && tagProblem !== undefined ? (
            <Box color="text-status-error">{strings.iam.problem(tagProblem)}</Box>
          ) : null}
        </Container>
        {create.error === undefined || made === undefined ? null : <Box>{text.aliasFailed}</Box>}
      </SpaceBetween>
    </FormPage>
  );
}
