import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { Suspense, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { Loading } from "../../app/Loading";
import { Failure } from "../../parts/Failure";
import { Page } from "../../parts/Page";
import { useUrlState } from "../../parts/useUrlState";
import { repositoryPath } from "../../lib/paths";
import { strings } from "../../strings";
import { DeleteRepository } from "./DeleteRepository";
import { Overview } from "./Overview";
import { ReadOnlyBanner } from "./ReadOnlyBanner";
import { repositoryQuery } from "./queries";
import { TABS } from "./tabs";

export default function RepositoryPage() {
  const text = strings.repository;
  const name = useParams()["*"] ?? "";
  const navigate = useNavigate();
  const [tab] = useUrlState("tab", "images");
  const [isDeleting, setIsDeleting] = useState(false);
  const query = useQuery(repositoryQuery(name));
  const repository = query.data;
  return (
    <Page
      title={name}
      crumbs={[{ text: strings.repositories.title, to: "/repositories" }]}
      actions={<Button onClick={() => setIsDeleting(true)}>{text.actions.delete}</Button>}
    >
      {query.error !== null ? <Failure error={query.error} retry={() => void query.refetch()} /> : null}
      {repository === null ? <Box variant="p">{text.notFound}</Box> : null}
      {repository == null ? null : (
        <>
          <ReadOnlyBanner name={name} />
          <Overview repository={repository} />
          <Tabs
            ariaLabel={text.tabsLabel}
            activeTabId={TABS.some(({ id }) => id === tab) ? tab : "images"}
            // Another tab starts without the page and the selection of the last one.
            onChange={({ detail }) => void navigate(repositoryPath(name, { tab: detail.activeTabId }))}
            tabs={TABS.map(({ id, label, element: Element }) => ({
              id,
              label,
              content: (
                <Suspense fallback={<Loading />}>
                  <Element repository={repository} name={name} />
                </Suspense>
              ),
            }))}
          />
        </>
      )}
      {isDeleting ? (
        <DeleteRepository
          name={name}
          onDismiss={() => setIsDeleting(false)}
          onDeleted={() => void navigate("/repositories")}
        />
      ) : null}
    </Page>
  );
}
