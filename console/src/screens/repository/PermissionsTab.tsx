import Box from "@cloudscape-design/components/box";
import { useQuery } from "@tanstack/react-query";
import { Loading } from "../../app/Loading";
import { Failure } from "../../parts/Failure";
import { PermissionsEditor } from "./PermissionsEditor";
import { policyQuery } from "./queries";
import type { TabProps } from "./tabs";

export default function PermissionsTab({ repository, name }: TabProps) {
  const query = useQuery(policyQuery(name));
  if (query.isPending) return <Loading />;
  if (query.error !== null) {
    return (
      <Box margin={{ top: "m" }}>
        <Failure error={query.error} retry={() => void query.refetch()} />
      </Box>
    );
  }
  return <PermissionsEditor name={name} arn={repository.repositoryArn ?? ""} saved={query.data} />;
}
