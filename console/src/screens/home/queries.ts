import { queryOptions } from "@tanstack/react-query";
import { latestDenials, principals, repositoryUse, unusedKeys } from "../../api/overview";

export const repositoryUseOptions = queryOptions({ queryKey: ["repositories", "use"], queryFn: repositoryUse });
export const principalsOptions = queryOptions({ queryKey: ["principals"], queryFn: principals });
export const unusedKeysOptions = queryOptions({ queryKey: ["principals", "unused-keys"], queryFn: unusedKeys });
export const denialsOptions = queryOptions({ queryKey: ["denials", "latest"], queryFn: latestDenials });
