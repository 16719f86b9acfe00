import { queryOptions } from "@tanstack/react-query";
import { getTemplate, listTemplates } from "../../api/registry";

/** The key of everything that is known of templates. */
export const TEMPLATES = ["templates"];

export const templatesQuery = (token: string | undefined) =>
  queryOptions({ queryKey: [...TEMPLATES, "list", token], queryFn: () => listTemplates(token) });

/** Read anew for each edit: the form begins with what is stored now. */
export const templateQuery = (prefix: string) =>
  queryOptions({ queryKey: [...TEMPLATES, "one", prefix], queryFn: () => getTemplate(prefix), gcTime: 0, staleTime: Infinity });
