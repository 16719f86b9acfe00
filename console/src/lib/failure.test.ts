import { expect, test } from "vitest";
import { describeFailure, mayRetry } from "./failure";

const denial = Object.assign(new Error("User: … is not authorized"), {
  name: "AccessDeniedException",
  $metadata: { httpStatusCode: 400, requestId: "r-1" },
});

test("reads an error of an SDK", () => {
  expect(describeFailure(denial)).toEqual({
    code: "AccessDeniedException",
    message: "User: … is not authorized",
    requestId: "r-1",
    isDenial: true,
    isNetwork: false,
  });
  expect(mayRetry(denial)).toBe(false);
});

test("prefers the code of a session's error over its name", () => {
  const error = Object.assign(new Error("no"), { name: "SessionError", code: "NoSession", status: 401 });
  expect(describeFailure(error)).toMatchObject({ code: "NoSession", isDenial: false });
  expect(mayRetry(error)).toBe(false);
});

test("knows that no answer came", () => {
  const error = new TypeError("Failed to fetch");
  expect(describeFailure(error).isNetwork).toBe(true);
  expect(mayRetry(error)).toBe(true);
});

test("describes what is not an error", () => {
  expect(describeFailure("odd").message).toBe("odd");
  expect(describeFailure(undefined).code).toBe("Error");
});
