import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { perform } from "../../api/perform";
import { repositoryPath } from "../../lib/paths";
import { EMPTY_FORM, createChange, isValid } from "../../lib/repository-form";
import { FormPage } from "../../parts/FormPage";
import { useFlash } from "../../parts/flash";
import { strings } from "../../strings";
import { RepositoryFields } from "./RepositoryFields";

export default function CreateRepository() {
  const text = strings.repositories;
  const navigate = useNavigate();
  const queries = useQueryClient();
  const flash = useFlash();
  const [form, setForm] = useState(EMPTY_FORM);
  const [wasTried, setWasTried] = useState(false);
  const change = createChange(form);
  const create = useMutation({
    mutationFn: () => perform(change),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["repositories"] });
      flash.success(text.form.created(form.name));
      void navigate(repositoryPath(form.name, { tab: "push" }));
    },
  });
  const submit = () => {
    setWasTried(true);
    if (isValid(form)) create.mutate();
  };
  return (
    <FormPage
      title={text.create}
      above={{ text: text.title, to: "/repositories" }}
      onSubmit={submit}
      isRunning={create.isPending}
      error={create.error ?? undefined}
      changes={[change]}
    >
      <RepositoryFields form={form} onChange={setForm} showErrors={wasTried} />
    </FormPage>
  );
}
