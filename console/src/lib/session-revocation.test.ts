import { describe, expect, it } from "vitest";
import { revocationPolicy, revocationTime } from "./session-revocation";

describe("session revocation", () => {
  it("denies everything to sessions issued before the time", () => {
    const time = new Date("2026-12-01T10:00:00.000Z");
    expect(JSON.parse(revocationPolicy(time))).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Deny",
          Action: ["*"],
          Resource: ["*"],
          Condition: { DateLessThan: { "aws:TokenIssueTime": "2026-12-01T10:00:00.000Z" } },
        },
      ],
    });
    expect(revocationTime(revocationPolicy(time))).toEqual(time);
  });

  it("reads no time from another document", () => {
    expect(revocationTime("{}")).toBeUndefined();
    expect(revocationTime('{"aws:TokenIssueTime": "soon"}')).toBeUndefined();
  });
});
