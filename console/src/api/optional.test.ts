import { expect, it, vi } from "vitest";
import { dropSession } from "./current";
import { askWhileAllowed } from "./optional";

const denied = () => Promise.reject(Object.assign(new Error("no"), { name: "AccessDeniedException" }));

it("asks once for what is refused, and again for the next session", async () => {
  const call = vi.fn(denied);
  expect(await askWhileAllowed("X", "without", call)).toBe("without");
  expect(await askWhileAllowed("X", "without", call)).toBe("without");
  expect(call).toHaveBeenCalledTimes(1);
  expect(await askWhileAllowed("Y", "without", () => Promise.resolve("with"))).toBe("with");
  dropSession("none");
  expect(await askWhileAllowed("X", "without", () => Promise.resolve("with"))).toBe("with");
});

it("passes other failures on, and asks again after them", async () => {
  await expect(askWhileAllowed("Z", "without", () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  expect(await askWhileAllowed("Z", "without", () => Promise.resolve("with"))).toBe("with");
});
