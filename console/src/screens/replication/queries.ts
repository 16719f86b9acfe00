import { queryOptions } from "@tanstack/react-query";
import { getReplication } from "../../api/replication";

export const RULES = ["replication", "rules"];

export const rulesQuery = () => queryOptions({ queryKey: RULES, queryFn: getReplication });
