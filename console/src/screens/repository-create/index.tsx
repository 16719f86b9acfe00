import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { createRepository } from "../../api/ecr";
import { repositoryPath } from "../../lib/paths";
import { EMPTY_FORM, createChange, createInput, isValid, repositoryResource } from "../../lib/repository-form";
import { AsCommand } from "../../parts/AsCommand";
import { Failure } from "../../parts/Failure";
import { Page } from "../../parts/Page";
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
  const create = useMutation({
    mutationFn: () => createRepository(createInput(form)),
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
    <Page
      title={text.create}
      crumbs={[{ text: text.title, to: "/repositories" }]}
      actions={<AsCommand changes={[createChange(form)]} resources={[repositoryResource(form)]} />}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button variant="link" formAction="none" onClick={() => void navigate("/repositories")}>
                {strings.frame.cancel}
              </Button>
              <Button variant="primary" loading={create.isPending}>
                {text.create}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <RepositoryFields form={form} onChange={setForm} showErrors={wasTried} />
            {create.error === null ? null : <Failure error={create.error} />}
          </SpaceBetween>
        </Form>
      </form>
    </Page>
  );
}
