import { expect, test } from "vitest";
import { formatSize, shortDigest } from "./format";

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
