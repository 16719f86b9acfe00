import Alert from "@cloudscape-design/components/alert";
import { useQuery } from "@tanstack/react-query";
import { Time } from "../../parts/Values";
import { strings } from "../../strings";
import { readOnlyBannerQuery } from "./queries";

/** Says that pushes to the repository are refused, why and since when; nothing while they are not. */
export function ReadOnlyBanner({ name }: { name: string }) {
  const text = strings.readOnly;
  const query = useQuery(readOnlyBannerQuery(name));
  const mode = query.data;
  // The panel of the settings says what cannot be read.
  if (mode == null || !mode.enabled) return null;
  return (
    <Alert type="warning" header={text.repositoryOn(mode.reason ?? "")}>
      {mode.changedAt === undefined ? null : (
        <>
          {text.since} <Time time={new Date(mode.changedAt * 1000)} />
          {". "}
        </>
      )}
      {mode.changedBy === undefined ? null : `${text.by} ${mode.changedBy}`}
    </Alert>
  );
}
