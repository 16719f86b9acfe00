import type { PolicyType } from "@aws-sdk/client-organizations";
import { useState } from "react";
import { perform } from "../../api/perform";
import { isJsonObject } from "../../lib/permissions-choice";
import { format } from "../../lib/trust/document";
import { Field } from "../../parts/Field";
import { Dialog } from "../../parts/Dialog";
import { PolicyEdit } from "../../parts/PolicyText";
import { useAction } from "../../parts/useAction";
import { strings } from "../../strings";

/** A beginning: nobody deletes images. Resource control policies name a principal and conditions. */
function initial(type: PolicyType): string {
  const deny = { Effect: "Deny", Action: ["ecr:BatchDeleteImage", "ecr:DeleteRepository"], Resource: "*" };
  const statement = type === "RESOURCE_CONTROL_POLICY" ? { ...deny, Principal: "*" } : deny;
  return format({ Version: "2012-10-17", Statement: [statement] });
}

/** Makes a policy of the organization. */
export function CreateOrganizationPolicy({ type, onClose }: { type: PolicyType; onClose: () => void }) {
  const text = strings.organization;
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [content, setContent] = useState(initial(type));
  const change = {
    service: "organizations",
    operation: "CreatePolicy",
    input: { Type: type, Name: name, Description: description, Content: content },
  };
  const create = useAction(() => perform(change), {
    stale: [["organization", "offered", type]],
    said: () => text.policyMade,
    then: onClose,
  });
  return (
    <Dialog
      title={text.createPolicy}
      submit={text.createPolicy}
      onSubmit={() => create.run(undefined)}
      onClose={onClose}
      isRunning={create.isRunning}
      isDisabled={name === "" || !isJsonObject(content)}
      error={create.error}
      changes={[change]}
      size="max"
    >
      <Field label={text.policyName} value={name} onChange={setName} />
      <Field label={strings.iam.description} value={description} onChange={setDescription} isOptional />
      <PolicyEdit
        kind="scp"
        label={text.content}
        value={content}
        onChange={setContent}
        error={isJsonObject(content) ? undefined : strings.iam.permissions.notJson}
      />
    </Dialog>
  );
}
