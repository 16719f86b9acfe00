import { expect, test } from "vitest";
import { breakable, formatSize, formatTime, shortArn, shortDigest, splitDuration } from "./format";

test("writes sizes in binary units", () => {
  expect(formatSize(0)).toBe("0 bytes");
  expect(formatSize(1023)).toBe("1023 bytes");
  expect(formatSize(1536)).toBe("1.5 KiB");
  expect(formatSize(150 * 1024 * 1024)).toBe("150 MiB");
  expect(formatSize(2 ** 60)).toBe("1024 PiB");
});

test("shortens digests", () => {
  expect(shortDigest(`sha256:${"ab".repeat(32)}`)).toBe("sha256:abababababab");
  expect(shortDigest("odd")).toBe("odd");
});

test("says that a time is in UTC", () => {
  const time = new Date("2026-11-27T09:14:00Z");
  expect(formatTime(time, "utc")).toMatch(/9:14.*UTC$/);
  expect(formatTime(time, "local")).not.toContain("UTC");
});

test("lets lines of an ARN end after its separators", () => {
  expect(breakable("arn:aws:iam::1:user/a/b")).toEqual(["arn:", "aws:", "iam:", ":", "1:", "user/", "a/", "b"]);
});

test("shortens ARNs of the account and no others", () => {
  expect(shortArn("arn:aws:iam::123456789012:user/alice", "123456789012")).toBe("user/alice");
  expect(shortArn("arn:aws:iam::444455556666:user/alice", "123456789012")).toBe("arn:aws:iam::444455556666:user/alice");
  expect(shortArn("*", "123456789012")).toBe("*");
});

test("splits durations", () => {
  expect(splitDuration(3600)).toEqual({ hours: 1, minutes: 0, seconds: 0 });
  expect(splitDuration(5432)).toEqual({ hours: 1, minutes: 30, seconds: 32 });
});
