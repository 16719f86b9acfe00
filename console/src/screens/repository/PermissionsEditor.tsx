import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { laidOut } from "../../lib/policy/document";
import { readPolicy } from "../../lib/repository-policy";
import { AsCommand } from "../../parts/AsCommand";
import { PolicyEditor } from "../../parts/policy-editor";
import { strings } from "../../strings";
import { SavePolicy } from "./SavePolicy";
import { Statements } from "./Statements";

interface Props {
  name: string;
  arn: string;
  /** The policy on the server; empty where there is none. */
  saved: string;
}

/** The repository's policy as a form beside the JSON: one document, which is the JSON's text. */
export function PermissionsEditor({ name, arn, saved }: Props) {
  const text = strings.repository.permissions;
  // The edit began with `base`. A newer document on the server replaces it only while nothing was edited.
  const [base, setBase] = useState(() => laidOut(saved));
  const [seen, setSeen] = useState(saved);
  const [json, setJson] = useState(base);
  const [isSaving, setIsSaving] = useState(false);
  const isChanged = json !== base;
  const begin = (document: string) => {
    setBase(laidOut(document));
    setJson(laidOut(document));
  };
  if (seen !== saved) {
    setSeen(saved);
    if (!isChanged) begin(saved);
  }
  const isReadable = Array.isArray(readPolicy(json));
  const document = json.trim();
  return (
    <SpaceBetween size="m">
      <Box variant="p">{text.intro}</Box>
      {document === "" ? <Alert type="info">{text.none}</Alert> : null}
      <PolicyEditor
        kind="resource"
        value={json}
        onChange={setJson}
        resource={arn}
        form={<Statements json={json} onChange={setJson} />}
      />
      <SpaceBetween size="xs" direction="horizontal">
        <Button variant="primary" disabled={!isChanged || !isReadable} onClick={() => setIsSaving(true)}>
          {text.review}
        </Button>
        <Button disabled={!isChanged} onClick={() => setJson(base)}>
          {text.discard}
        </Button>
        <AsCommand
          changes={[
            document === ""
              ? { service: "ecr", operation: "DeleteRepositoryPolicy", input: { repositoryName: name } }
              : {
                  service: "ecr",
                  operation: "SetRepositoryPolicy",
                  input: { repositoryName: name, policyText: document },
                },
          ]}
        />
      </SpaceBetween>
      {isSaving && isReadable ? (
        <SavePolicy
          name={name}
          base={base}
          json={document}
          onBegin={begin}
          onClose={() => setIsSaving(false)}
        />
      ) : null}
    </SpaceBetween>
  );
}
