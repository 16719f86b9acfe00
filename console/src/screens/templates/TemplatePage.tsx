import { useState } from "react";
import { useNavigate } from "react-router";
import { perform } from "../../api/perform";
import type { Change } from "../../lib/commands/change";
import { templateProblems, type TemplateForm } from "../../lib/template-form";
import { FormPage } from "../../parts/FormPage";
import { useAction } from "../../parts/useAction";
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
  const save = useAction(() => perform(call), {
    stale: [TEMPLATES],
    said: () => text.saved(form.prefix),
    then: () => void navigate("/templates"),
  });
  return (
    <FormPage
      title={title}
      submit={submit}
      above={{ text: text.title, to: "/templates" }}
      onSubmit={() => {
        setWasTried(true);
        if (templateProblems(form).size === 0) save.run(undefined);
      }}
      isRunning={save.isRunning}
      error={save.error}
      changes={[call]}
    >
      <TemplateFields form={form} onChange={setForm} isNew={isNew} showErrors={wasTried} />
    </FormPage>
  );
}
