import { useState } from "react";
import { useNavigate } from "react-router";
import { perform } from "../../api/perform";
import type { Change } from "../../lib/commands/change";
import { readTemplate, templateProblems, templateText, type TemplateForm } from "../../lib/template-form";
import { DocumentChanged } from "../../parts/DocumentChanged";
import { FormPage } from "../../parts/FormPage";
import { useAction } from "../../parts/useAction";
import { useReplaceDocument } from "../../parts/useReplaceDocument";
import { strings } from "../../strings";
import { TemplateFields } from "./Fields";
import { TEMPLATES } from "./queries";

interface Props {
  title: string;
  submit: string;
  initial: TemplateForm;
  isNew: boolean;
  change: (form: TemplateForm) => Change;
}

/** The form of a template, new or stored. */
export function TemplatePage({ title, submit, initial, isNew, change }: Props) {
  const text = strings.templates;
  const navigate = useNavigate();
  const [form, setForm] = useState(initial);
  const [wasTried, setWasTried] = useState(false);
  const call = change(form);
  const after = {
    stale: [TEMPLATES],
    said: () => text.saved(form.prefix),
    then: () => void navigate("/templates"),
  };
  const create = useAction(() => perform(call), after);
  // What somebody else changed since the form was opened is shown, and not written over.
  const replace = useReplaceDocument({ ...after, base: templateText(initial) });
  const save = isNew ? create : replace;
  return (
    <FormPage
      title={title}
      submit={submit}
      above={{ text: text.title, to: "/templates" }}
      onSubmit={() => {
        setWasTried(true);
        if (templateProblems(form).size > 0) return;
        if (isNew) create.run(undefined);
        else replace.save({ kind: "template", prefix: form.prefix }, templateText(form));
      }}
      isRunning={save.isRunning}
      error={save.error}
      changes={[call]}
    >
      <TemplateFields form={form} onChange={setForm} isNew={isNew} showErrors={wasTried} />
      <DocumentChanged
        conflict={replace.conflict}
        onTake={(current) => {
          const taken = readTemplate(current);
          if (taken === undefined) void navigate("/templates");
          else setForm(taken);
        }}
      />
    </FormPage>
  );
}
