import { describe, expect, it } from "vitest";
import { pullOnly, pushAndPull, repositoryArn, repositoryPolicy } from "./templates";
import { differences } from "./words";

const APP = repositoryArn("aws", "us-east-1", "123456789012", "app");

describe("differences", () => {
  it("names statements that came and went", () => {
    const added = differences(pullOnly([APP]), pushAndPull([APP]));
    expect(added).toMatchObject([{ kind: "added", name: "Push", effect: "Allow", resources: [APP] }]);
    expect(differences(pushAndPull([APP]), pullOnly([APP]))).toMatchObject([{ kind: "removed", name: "Push" }]);
    expect(differences("", pullOnly([APP])).map((one) => one.kind)).toEqual(["added", "added"]);
  });

  it("names entries of statements that changed", () => {
    const other = repositoryArn("aws", "us-east-1", "123456789012", "my-app-*");
    expect(differences(pullOnly([APP]), pullOnly([APP, other]))).toEqual([
      { kind: "entries", name: "Pull", element: "Resource", added: [other], removed: [] },
    ]);
    const [before, after] = [repositoryPolicy(["111122223333"], false), repositoryPolicy(["444455556666"], false)];
    expect(differences(before, after)).toEqual([
      { kind: "entries", name: "Pull", element: "Principal", added: ["444455556666"], removed: ["111122223333"] },
    ]);
  });

  it("finds nothing where only the layout differs", () => {
    expect(differences(pullOnly([APP]), JSON.stringify(JSON.parse(pullOnly([APP]))))).toEqual([]);
    expect(differences("{", "{}")).toEqual([{ kind: "unreadable" }]);
  });
});

describe("templates", () => {
  it("have a statement for the login, whose resource is not a repository", () => {
    const [login, pull, push] = (JSON.parse(pushAndPull([APP, `${APP}-*`])) as { Statement: { Action: unknown; Resource: unknown }[] }).Statement;
    expect(login?.Resource).toBe("*");
    expect(pull?.Resource).toEqual([APP, `${APP}-*`]);
    expect(push?.Action).toContain("ecr:PutImage");
  });
});
