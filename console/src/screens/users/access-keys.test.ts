import { beforeEach, expect, test, vi } from "vitest";
import { getAccessKeyLastUsed, listAccessKeys } from "../../api/iam/credentials";
import { keysOf } from "./access-keys";

vi.mock("../../api/iam/credentials", () => ({ getAccessKeyLastUsed: vi.fn(), listAccessKeys: vi.fn() }));

const metadata = { $metadata: {} };
const created = new Date("2026-01-02T03:04:05Z");

beforeEach(() => {
  vi.mocked(listAccessKeys).mockResolvedValue({
    AccessKeyMetadata: [{ AccessKeyId: "AKIA1", Status: "Active", CreateDate: created }],
    ...metadata,
  });
});

const failure = (name: string) => Object.assign(new Error(name), { name });

test("a key whose last use may not be read is not called unused", async () => {
  vi.mocked(getAccessKeyLastUsed).mockRejectedValue(failure("AccessDenied"));
  expect(await keysOf("alice")).toEqual([
    { id: "AKIA1", isActive: true, created, used: undefined, isUseKnown: false, service: undefined },
  ]);
});

test("a key without a use is unused", async () => {
  vi.mocked(getAccessKeyLastUsed).mockResolvedValue({
    AccessKeyLastUsed: { LastUsedDate: undefined, ServiceName: "N/A", Region: "N/A" },
    ...metadata,
  });
  expect(await keysOf("alice")).toMatchObject([{ used: undefined, isUseKnown: true, service: undefined }]);
});

test("a failure other than a denial is no missing permission", async () => {
  vi.mocked(getAccessKeyLastUsed).mockRejectedValue(failure("ServiceFailure"));
  await expect(keysOf("alice")).rejects.toThrow("ServiceFailure");
});
