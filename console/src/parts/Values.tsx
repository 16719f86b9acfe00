import { strings } from "../strings";
import { formatSize, formatTime, shortDigest } from "../lib/format";
import { Copy } from "./Copy";

/** A time in the browser's time zone, with UTC on hover. */
export function Time({ time, missing = strings.frame.none }: { time: Date | undefined; missing?: string }) {
  if (time === undefined) return <>{missing}</>;
  return (
    <time dateTime={time.toISOString()} title={time.toISOString()}>
      {formatTime(time)}
    </time>
  );
}

/** A size in binary units, with the exact bytes on hover. */
export function Size({ bytes }: { bytes: number | undefined }) {
  if (bytes === undefined) return <>{strings.frame.none}</>;
  return <span title={strings.frame.bytes(bytes)}>{formatSize(bytes)}</span>;
}

/** A shortened digest with a button that copies the whole. */
export function Digest({ digest }: { digest: string }) {
  return (
    <span style={{ whiteSpace: "nowrap" }}>
      <code title={digest}>{shortDigest(digest)}</code>{" "}
      <Copy text={digest} label={strings.frame.copyDigest(shortDigest(digest))} />
    </span>
  );
}
