import { expect, test } from "vitest";
import { keyCommands } from "./key-commands";

test("the commands name the user's profile and hold no secret", () => {
  expect(keyCommands({ userName: "alice", region: "eu-west-1", endpoint: "https://registry.example.com" })).toBe(
    "aws configure --profile alice\n" +
      "aws sts get-caller-identity --profile alice \\\n" +
      "  --region eu-west-1 --endpoint-url https://registry.example.com\n",
  );
});

test("a name that a shell would read is quoted", () => {
  expect(keyCommands({ userName: "a=b, c", region: "r", endpoint: "http://h" })).toContain("--profile 'a=b, c'");
});
