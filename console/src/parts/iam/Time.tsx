import { strings } from "../../strings";

/** A time in the person's zone, with UTC on hover. */
export function Time({ at, absent }: { at: Date | undefined; absent?: string }) {
  if (at === undefined) return <>{absent ?? strings.iam.none}</>;
  return (
    <time dateTime={at.toISOString()} title={at.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC")}>
      {at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}
    </time>
  );
}
