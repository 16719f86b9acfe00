import { queryOptions } from "@tanstack/react-query";
import { listRepositories } from "../../api/ecr";
import { findInPages } from "../../lib/find-pages";

/** Rows of a page. */
const PAGE_SIZE = 50;

/** One page of repositories whose names contain the filter. The API has no such filter, so pages are searched. */
export const repositoriesQuery = (filter: string, token: string | undefined) =>
  queryOptions({
    queryKey: ["repositories", filter, token],
    queryFn: async () => {
      if (filter === "") {
        const page = await listRepositories(token, PAGE_SIZE);
        return { ...page, searched: page.items.length };
      }
      return findInPages(
        listRepositories,
        ({ repositoryName }) => repositoryName?.includes(filter) ?? false,
        token,
        PAGE_SIZE,
      );
    },
  });
