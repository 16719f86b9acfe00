import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useSession } from "../../api/current";
import { perform } from "../../api/perform";
import type { PullThroughCacheRule } from "../../api/pull-through";
import { Loading } from "../../app/Loading";
import { credentialOf, deleteRule, exampleOf, imageNames, pullCommand } from "../../lib/pull-through";
import { CodeBlock } from "../../parts/CodeBlock";
import { Dialog } from "../../parts/Dialog";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { ChangeCredentials } from "./ChangeCredentials";
import { Credentials, Upstream } from "./parts";
import { RULES, ruleQuery } from "./queries";
import { RuleSettings } from "./Settings";
import { useTest } from "./Tested";

const text = strings.pullThrough;

/** One rule: what it caches, whether its upstream answers, and how its images are pulled. */
export default function RulePage() {
  const { prefix = "" } = useParams();
  const query = useQuery(ruleQuery(prefix));
  const { test, isRunning, result } = useTest();
  const [open, setOpen] = useState<"change" | "delete">();
  const rule = query.data ?? undefined;
  const close = () => setOpen(undefined);
  const mayChange = rule !== undefined && credentialOf(rule.upstreamRegistryUrl ?? "") !== "none";
  return (
    <Page
      title={text.rule(prefix)}
      crumbs={[{ text: text.title, to: "/pull-through" }]}
      actions={
        rule === undefined ? null : (
          <SpaceBetween size="xs" direction="horizontal">
            {mayChange ? <Button onClick={() => setOpen("change")}>{text.change}</Button> : null}
            <Button onClick={() => setOpen("delete")}>{text.delete}</Button>
            <Button variant="primary" loading={isRunning} loadingText={text.testing} onClick={() => test(prefix)}>
              {text.test}
            </Button>
          </SpaceBetween>
        )
      }
    >
      {result}
      {query.isPending ? <Loading /> : null}
      {query.error === null ? null : <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.data === null ? <Box>{text.missing}</Box> : null}
      {rule === undefined ? null : (
        <>
          <Container header={<Header variant="h2">{text.details}</Header>}>
            <KeyValuePairs
              columns={3}
              items={[
                { label: text.upstream, value: <Upstream rule={rule} /> },
                { label: text.credentials, value: <Credentials rule={rule} /> },
                { label: text.since, value: <Time time={rule.createdAt} /> },
                { label: text.changed, value: <Time time={rule.updatedAt ?? rule.createdAt} /> },
              ]}
            />
          </Container>
          <Pull rule={rule} />
          <RuleSettings prefix={prefix} />
          {open === "change" ? <ChangeCredentials rule={rule} onClose={close} /> : null}
        </>
      )}
      {open === "delete" ? <DeleteRule prefix={prefix} onClose={close} /> : null}
    </Page>
  );
}

/** The command that pulls an image through the rule. */
function Pull({ rule }: { rule: PullThroughCacheRule }) {
  const { registry } = useSession();
  const [image, setImage] = useState(exampleOf(rule.upstreamRegistryUrl ?? ""));
  const { here, upstream } = imageNames(rule, image.trim(), registry);
  return (
    <Container header={<Header variant="h2">{text.pull}</Header>}>
      <SpaceBetween size="m">
        <Field label={text.image} value={image} onChange={setImage} description={text.imageHint} />
        <CodeBlock code={pullCommand(here)} label={text.pullLabel} copyLabel={text.copyPull} />
        <Box>{text.comesFrom(upstream)}</Box>
        <Box color="text-body-secondary">{text.permissions}</Box>
      </SpaceBetween>
    </Container>
  );
}

function DeleteRule({ prefix, onClose }: { prefix: string; onClose: () => void }) {
  const navigate = useNavigate();
  const change = deleteRule(prefix);
  const remove = useAction(() => perform(change), {
    stale: [RULES],
    said: () => text.deleted(prefix),
    then: () => void navigate("/pull-through"),
  });
  return (
    <Dialog
      title={text.deleteTitle(prefix)}
      submit={text.delete}
      onSubmit={() => remove.run(undefined)}
      onClose={onClose}
      isRunning={remove.isRunning}
      error={remove.error}
      changes={[change]}
    >
      <Box>{text.deleteText}</Box>
    </Dialog>
  );
}
