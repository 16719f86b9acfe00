import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { createOpenIDConnectProvider, createSAMLProvider } from "../../api/iam/providers";
import type { Change } from "../../lib/commands/change";
import { nameProblem } from "../../lib/names";
import { areThumbprints, entries, isProviderUrl, thumbprints } from "../../lib/providers";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { Field } from "../../parts/Field";
import { listKey } from "../../parts/iam/keys";
import { Page } from "../../parts/Page";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";
import { Metadata } from "./Metadata";

const KINDS = ["oidc", "saml"] as const;

/** Adds an OpenID Connect or SAML provider. */
export default function CreateProvider() {
  const text = strings.providers;
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const kind = params.get("kind") === "saml" ? "saml" : "oidc";
  const [url, setUrl] = useState("https://");
  const [audiences, setAudiences] = useState("sts.amazonaws.com");
  const [prints, setPrints] = useState("");
  const [name, setName] = useState("");
  const [metadata, setMetadata] = useState("");
  const [isSent, setIsSent] = useState(false);
  const oidc = { Url: url, ClientIDList: entries(audiences), ThumbprintList: thumbprints(prints) };
  const create = useAction(
    async () => {
      if (kind === "saml") return (await createSAMLProvider({ Name: name, SAMLMetadataDocument: metadata })).SAMLProviderArn;
      return (await createOpenIDConnectProvider(oidc)).OpenIDConnectProviderArn;
    },
    {
      stale: [listKey("providers")],
      said: () => text.made,
      then: (arn) => void navigate(`/identity-providers/${encodeURIComponent(arn ?? "")}`),
    },
  );
  const isValid =
    kind === "saml"
      ? nameProblem("samlProvider", name) === undefined && metadata !== ""
      : isProviderUrl(url) && areThumbprints(oidc.ThumbprintList);
  const change: Change = { service: "iam", operation: "CreateOpenIDConnectProvider", input: oidc };
  return (
    <Page
      title={text.create}
      crumbs={[{ text: text.title, to: "/identity-providers" }]}
      // The metadata is a file: its text would not fit a command.
      actions={kind === "oidc" ? <AsCommand changes={[change]} /> : undefined}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setIsSent(true);
          if (isValid && !create.isRunning) create.run(undefined);
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button formAction="none" variant="link" onClick={() => void navigate("/identity-providers")}>
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
              <FormField label={text.kind} stretch>
                <Tiles
                  ariaLabel={text.kind}
                  value={kind}
                  items={KINDS.map((value) => ({
                    value,
                    label: text.kinds[value],
                    description: text.kindHints[value],
                  }))}
                  onChange={(event) => setParams({ kind: event.detail.value }, { replace: true })}
                />
              </FormField>
              {kind === "oidc" ? (
                <>
                  <Field
                    label={text.url}
                    value={url}
                    onChange={setUrl}
                    constraint={text.urlHint}
                    error={isSent && !isProviderUrl(url) ? text.urlProblem : undefined}
                  />
                  <Field
                    label={text.audiences}
                    value={audiences}
                    onChange={setAudiences}
                    constraint={text.audiencesHint}
                  />
                  <Field
                    label={text.thumbprints}
                    value={prints}
                    onChange={setPrints}
                    constraint={text.thumbprintsHint}
                    error={areThumbprints(oidc.ThumbprintList) ? undefined : text.thumbprintsProblem}
                    isOptional
                  />
                </>
              ) : (
                <>
                  <Field
                    label={text.samlName}
                    value={name}
                    onChange={setName}
                    problem={nameProblem("samlProvider", name)}
                    isShown={isSent}
                  />
                  <Metadata onChange={setMetadata} error={isSent && metadata === "" ? text.noFile : undefined} />
                </>
              )}
              {create.error === undefined ? null : <Failure error={create.error} />}
            </SpaceBetween>
          </Container>
        </Form>
      </form>
    </Page>
  );
}
