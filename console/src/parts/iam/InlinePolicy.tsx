import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { inlineDocument, type Holder } from "../../api/iam/holder";
import { putInlineChange } from "../../lib/iam-changes";
import { nameProblem } from "../../lib/names";
import { isJsonObject } from "../../lib/permissions-choice";
import { format, parse } from "../../lib/trust/document";
import { strings } from "../../strings";
import { DocumentChanged } from "../DocumentChanged";
import { Failure } from "../Failure";
import { Field } from "../Field";
import { PolicyEdit } from "../PolicyText";
import { useReplaceDocument } from "../useReplaceDocument";
import { Dialog } from "../Dialog";
import { holderKey } from "./keys";

interface Props {
  holder: Holder;
  /** The policy to edit; without it, a new one is made. */
  name?: string | undefined;
  onClose: () => void;
}

const EMPTY = format({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" }],
});

/** Makes or edits an inline policy. */
export function InlinePolicy({ holder, name, onClose }: Props) {
  const stored = useQuery({
    queryKey: [...holderKey(holder), "inline", name],
    queryFn: () => inlineDocument(holder, name ?? ""),
    enabled: name !== undefined,
    gcTime: 0,
  });
  if (stored.error !== null) return <Failure error={stored.error} />;
  if (name === undefined) return <Editor holder={holder} document={EMPTY} onClose={onClose} />;
  if (stored.data === undefined) return null;
  return <Editor holder={holder} name={name} document={pretty(stored.data)} onClose={onClose} />;
}

/** A document on one line gets lines; another keeps its form. */
export function pretty(text: string): string {
  const document = parse(text);
  return text.includes("\n") || document === undefined ? text : format(document);
}

function Editor({ holder, name, document, onClose }: Props & { document: string }) {
  const text = strings.iam.permissions;
  const [newName, setNewName] = useState(name ?? "");
  const [value, setValue] = useState(document);
  const [isSent, setIsSent] = useState(false);
  const problem = nameProblem("inlinePolicy", newName);
  const save = useReplaceDocument({
    base: name === undefined ? undefined : document,
    stale: [holderKey(holder)],
    said: () => text.saved(newName),
    then: onClose,
  });
  const submit = () => {
    setIsSent(true);
    if (problem === undefined && isJsonObject(value)) save.save({ kind: "inline", holder, policyName: newName }, value);
  };
  return (
    <Dialog
      title={name === undefined ? text.createInline : text.editInline(name)}
      submit={strings.iam.save}
      onSubmit={submit}
      onClose={onClose}
      isRunning={save.isRunning}
      error={save.error}
      changes={[putInlineChange(holder, newName, value)]}
      size="max"
    >
      {name === undefined ? (
        <Field
          label={text.policyName}
          value={newName}
          onChange={setNewName}
          constraint={strings.iam.nameHint(128)}
          problem={problem}
          isShown={isSent}
        />
      ) : null}
      <PolicyEdit
        label={text.document}
        value={value}
        onChange={setValue}
        error={isSent && !isJsonObject(value) ? text.notJson : undefined}
      />
      <DocumentChanged conflict={save.conflict} onTake={(current) => setValue(pretty(current))} />
    </Dialog>
  );
}
