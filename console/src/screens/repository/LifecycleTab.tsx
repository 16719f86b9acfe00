import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useQuery } from "@tanstack/react-query";
import { Loading } from "../../app/Loading";
import { Failure } from "../../parts/Failure";
import { LifecycleEditor } from "./LifecycleEditor";
import { LifecyclePreview } from "./LifecyclePreview";
import { lifecycleQuery } from "./queries";
import type { TabProps } from "./tabs";

/** The lifecycle policy of a repository and its last preview. */
export default function LifecycleTab({ name }: TabProps) {
  const query = useQuery(lifecycleQuery(name));
  if (query.isPending) return <Loading />;
  return (
    <SpaceBetween size="l">
      {query.error === null ? (
        <LifecycleEditor key={query.data?.text ?? ""} name={name} saved={query.data} />
      ) : (
        <Box margin={{ top: "m" }}>
          <Failure error={query.error} retry={() => void query.refetch()} />
        </Box>
      )}
      <LifecyclePreview name={name} />
    </SpaceBetween>
  );
}
