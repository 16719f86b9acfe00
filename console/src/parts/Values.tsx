import { Fragment } from "react";
import { useSession } from "../api/current";
import { usePreferences } from "../app/preferences";
import { strings } from "../strings";
import { sessionSecondsProblem } from "../lib/names";
import { breakable, formatSize, formatTime, shortArn, shortDigest, splitDuration } from "../lib/format";
import { Copy } from "./Copy";

const ONE_LINE = { whiteSpace: "nowrap" } as const;

/** How times are written: in the time zone that the person chose. */
export function useTimeText(): (time: Date) => string {
  const { timeZone } = usePreferences();
  return (time) => formatTime(time, timeZone);
}

/** A time in the time zone that the person chose, with UTC on hover. */
export function Time({ time, missing = strings.frame.none }: { time: Date | undefined; missing?: string }) {
  const textOf = useTimeText();
  if (time === undefined) return <>{missing}</>;
  // A line may end between the day and the hour, and nowhere else.
  const text = textOf(time);
  const hour = text.lastIndexOf(", ") + 1;
  return (
    <time dateTime={time.toISOString()} title={time.toISOString()}>
      <span style={ONE_LINE}>{text.slice(0, hour)}</span>
      <span style={{ whiteSpace: "normal" }}> </span>
      <span style={ONE_LINE}>{text.slice(hour).trimStart()}</span>
    </time>
  );
}

/** A long name whose lines end after `:` and `/`. */
export function LongName({ name }: { name: string }) {
  return (
    <>
      {breakable(name).map((part, index) => (
        <Fragment key={index}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </>
  );
}

/** A long name with a button that copies it. */
export function CopiedName({ name, label }: { name: string; label: string }) {
  return (
    <>
      {/* An element of its own, so that the name is found and selected without the button. */}
      <span>
        <LongName name={name} />
      </span>{" "}
      <Copy text={name} label={label} />
    </>
  );
}

/** An ARN with a button that copies it, among a thing's details. */
export function Arn({ arn }: { arn: string | undefined }) {
  if (arn === undefined) return <>{strings.frame.none}</>;
  return <CopiedName name={arn} label={strings.frame.copyArn} />;
}

/** A duration in hours and minutes: roles have whole seconds. */
export function Duration({ seconds }: { seconds: number | undefined }) {
  return <>{seconds === undefined ? strings.frame.none : durationText(seconds)}</>;
}

/** The same as text. */
export function durationText(seconds: number): string {
  const { hours, minutes, seconds: rest } = splitDuration(seconds);
  const text = strings.frame.duration;
  const parts = [hours > 0 ? text.hours(hours) : "", minutes > 0 ? text.minutes(minutes) : "", rest > 0 ? text.seconds(rest) : ""];
  return parts.filter((part) => part !== "").join(" ") || text.seconds(0);
}

/** What a typed number of seconds is as a session's duration; empty for what is none. */
export const sessionText = (typed: string): string =>
  sessionSecondsProblem(Number(typed)) === undefined ? durationText(Number(typed)) : "";

/** An ARN in a list: what this account's ARNs share is shown on hover alone. */
export function ShortArn({ arn }: { arn: string }) {
  const { account } = useSession();
  return (
    <span title={arn}>
      <LongName name={shortArn(arn, account)} />
    </span>
  );
}

/** A sentence of the server, with what stands between backticks as code. */
export function Sentence({ text }: { text: string }) {
  return (
    <>
      {text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : <LongName key={index} name={part} />))}
    </>
  );
}

/** A size in binary units, with the exact bytes on hover. */
export function Size({ bytes }: { bytes: number | undefined }) {
  if (bytes === undefined) return <>{strings.frame.none}</>;
  return (
    <span title={strings.frame.bytes(bytes)} style={ONE_LINE}>
      {formatSize(bytes)}
    </span>
  );
}

/** A shortened digest with a button that copies the whole. */
export function Digest({ digest }: { digest: string }) {
  return (
    <span style={ONE_LINE}>
      <code title={digest}>{shortDigest(digest)}</code>{" "}
      <Copy text={digest} label={strings.frame.copyDigest(shortDigest(digest))} />
    </span>
  );
}
