import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router";
import { perform } from "../../api/perform";
import { createRule, EMPTY_RULE, OTHER, ruleProblems, UPSTREAMS, type RuleForm } from "../../lib/pull-through";
import { Field } from "../../parts/Field";
import { FormPage } from "../../parts/FormPage";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { CreateSecret } from "./CreateSecret";
import { CredentialFields } from "./CredentialFields";
import { RULES, rulePath } from "./queries";

const text = strings.pullThrough;
const OPTIONS = [...UPSTREAMS.map(({ id }) => id), OTHER].map((value) => ({ value, label: text.upstreams[value] ?? value }));

export default function CreateRule() {
  const navigate = useNavigate();
  const [form, setForm] = useState(EMPTY_RULE);
  const [wasTried, setWasTried] = useState(false);
  const [isSecretOpen, setIsSecretOpen] = useState(false);
  const set = (change: Partial<RuleForm>) => setForm((known) => ({ ...known, ...change }));
  const problems = ruleProblems(form);
  const error = (member: keyof RuleForm, words: string) => (wasTried && problems.has(member) ? words : undefined);
  const change = createRule(form);
  const prefix = form.prefix.trim();
  const create = useAction(() => perform(change), {
    stale: [RULES],
    said: () => text.created(prefix),
    then: () => void navigate(rulePath(prefix)),
  });
  const choose = (upstream: string) =>
    set({ upstream, url: UPSTREAMS.find(({ id }) => id === upstream)?.host ?? "" });
  return (
    <>
      <FormPage
        title={text.create}
        above={{ text: text.title, to: "/pull-through" }}
        onSubmit={() => {
          setWasTried(true);
          if (problems.size === 0) create.run(undefined);
        }}
        isRunning={create.isRunning}
        error={create.error}
        changes={[change]}
      >
        <SpaceBetween size="l">
          <Container header={<Header variant="h2">{text.details}</Header>}>
            <SpaceBetween size="l">
              <FormField label={text.upstream} stretch>
                <Select
                  selectedOption={OPTIONS.find(({ value }) => value === form.upstream) ?? null}
                  options={OPTIONS}
                  onChange={({ detail }) => choose(detail.selectedOption.value ?? OTHER)}
                />
              </FormField>
              {form.upstream === OTHER ? (
                <Field
                  label={text.url}
                  value={form.url}
                  onChange={(url) => set({ url })}
                  constraint={text.urlHint}
                  error={error("url", text.urlError)}
                />
              ) : null}
              <Field
                label={text.prefix}
                value={form.prefix}
                onChange={(value) => set({ prefix: value })}
                constraint={text.prefixHint}
                error={error("prefix", text.prefixError)}
              />
              <Field
                label={text.upstreamPrefix}
                value={form.upstreamPrefix}
                onChange={(upstreamPrefix) => set({ upstreamPrefix })}
                constraint={text.upstreamPrefixHint}
                error={error("upstreamPrefix", text.upstreamPrefixError)}
                isOptional
              />
            </SpaceBetween>
          </Container>
          <Container header={<Header variant="h2">{text.credentials}</Header>}>
            <CredentialFields
              form={form}
              onChange={set}
              onCreateSecret={() => setIsSecretOpen(true)}
              secretError={error("secret", text.secretError)}
              roleError={error("role", text.roleError)}
            />
          </Container>
        </SpaceBetween>
      </FormPage>
      {isSecretOpen ? (
        <CreateSecret
          name={form.upstream === OTHER ? prefix : form.upstream}
          onCreated={(secret) => set({ secret })}
          onClose={() => setIsSecretOpen(false)}
        />
      ) : null}
    </>
  );
}
