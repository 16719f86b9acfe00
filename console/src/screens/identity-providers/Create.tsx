import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tiles from "@cloudscape-design/components/tiles";
import { useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { iamChange, perform } from "../../api/perform";
import { nameProblem } from "../../lib/names";
import { areThumbprints, entries, isProviderUrl, thumbprints } from "../../lib/providers";
import { Field } from "../../parts/Field";
import { FormPage } from "../../parts/FormPage";
import { listKey } from "../../parts/iam/keys";
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
  const change =
    kind === "saml"
      ? iamChange("CreateSAMLProvider", { Name: name, SAMLMetadataDocument: metadata })
      : iamChange("CreateOpenIDConnectProvider", oidc);
  const create = useAction(
    async () => {
      const made = (await perform(change)) as { OpenIDConnectProviderArn?: string; SAMLProviderArn?: string };
      return made.SAMLProviderArn ?? made.OpenIDConnectProviderArn;
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
  return (
    <FormPage
      title={text.create}
      above={{ text: text.title, to: "/identity-providers" }}
      onSubmit={() => {
        setIsSent(true);
        if (isValid) create.run(undefined);
      }}
      isRunning={create.isRunning}
      error={create.error}
      changes={[change]}
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
        </SpaceBetween>
      </Container>
    </FormPage>
  );
}
