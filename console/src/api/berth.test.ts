import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { berth, BerthError } from "./berth";

vi.mock("./current", () => ({
  credentials: () => Promise.resolve({ accessKeyId: "ASIA1", secretAccessKey: "secret", sessionToken: "token" }),
  region: () => "us-east-1",
}));

const answers = (body: string, status: number, headers: Record<string, string> = {}) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status, headers })));

beforeEach(() => {
  const location = new URL("https://registry.example.com/console/");
  vi.stubGlobal("window", { location });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test("an answer is read as JSON", async () => {
  answers('{"isReadOnly": false}', 200);
  expect(await berth("GetReadOnlyMode")).toEqual({ isReadOnly: false });
});

test("an answer of 200 whose JSON is broken is an error, and not an empty answer", async () => {
  for (const body of ["", "{", "<html>"]) {
    answers(body, 200);
    await expect(berth("GetReadOnlyMode")).rejects.toBeInstanceOf(SyntaxError);
  }
});

test("a refusal keeps its code and request id, and one that is no JSON its status", async () => {
  answers('{"__type": "com.example#HostNotFoundException", "message": "no host"}', 400, { "x-amzn-requestid": "r-1" });
  const refusal = await berth("RevokeHost").catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(BerthError);
  expect(refusal).toMatchObject({ name: "HostNotFoundException", message: "no host", $metadata: { requestId: "r-1" } });
  answers("<html>", 502);
  await expect(berth("RevokeHost")).rejects.toMatchObject({ name: "HTTP 502", $metadata: { httpStatusCode: 502 } });
});
