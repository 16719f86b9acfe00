import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useHref, useNavigate } from "react-router";
import type { Repository } from "../../api/ecr";
import { Page } from "../../parts/Page";
import { strings } from "../../strings";
import { DeleteRepository } from "../repository/DeleteRepository";
import { RepositoryTable } from "./RepositoryTable";

export default function Repositories() {
  const text = strings.repositories;
  const navigate = useNavigate();
  const create = useHref("/create-repository");
  const [chosen, setChosen] = useState<Repository>();
  const [isDeleting, setIsDeleting] = useState(false);
  return (
    <Page
      title={text.title}
      actions={
        <SpaceBetween size="xs" direction="horizontal">
          <Button disabled={chosen === undefined} onClick={() => setIsDeleting(true)}>
            {text.delete}
          </Button>
          <Button
            variant="primary"
            href={create}
            onFollow={(event) => {
              event.preventDefault();
              void navigate("/create-repository");
            }}
          >
            {text.create}
          </Button>
        </SpaceBetween>
      }
    >
      <RepositoryTable chosen={chosen} onChoose={setChosen} />
      {isDeleting && chosen?.repositoryName !== undefined ? (
        <DeleteRepository
          name={chosen.repositoryName}
          onDismiss={() => setIsDeleting(false)}
          onDeleted={() => {
            setIsDeleting(false);
            setChosen(undefined);
          }}
        />
      ) : null}
    </Page>
  );
}
