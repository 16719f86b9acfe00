import { expect, test } from "vitest";
import { pushCommands, registryHost } from "./push-commands";

const target = { endpoint: "http://127.0.0.1:5000", region: "us-east-1", uri: "127.0.0.1:5000/team/app" };

test("logs in, builds, tags and pushes", () => {
  expect(registryHost(target.uri)).toBe("127.0.0.1:5000");
  expect(pushCommands(target, "posix").split("\n")).toEqual([
    "aws ecr get-login-password --region us-east-1 --endpoint-url http://127.0.0.1:5000 \\",
    "  | docker login --username AWS --password-stdin 127.0.0.1:5000",
    "docker build -t app .",
    "docker tag app:latest 127.0.0.1:5000/team/app:latest",
    "docker push 127.0.0.1:5000/team/app:latest",
    "",
  ]);
});

test("tells podman of plain HTTP", () => {
  expect(pushCommands(target, "podman")).toContain("podman push --tls-verify=false");
  expect(pushCommands({ ...target, endpoint: "https://r.example.com" }, "podman")).not.toContain("tls-verify");
});

test("writes one command a line for PowerShell", () => {
  const lines = pushCommands(target, "powershell").trim().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain("| docker login --username AWS --password-stdin 127.0.0.1:5000");
});

test("gives a job a role and no key", () => {
  const job = pushCommands(target, "ci");
  expect(job).toContain("AWS_WEB_IDENTITY_TOKEN_FILE");
  expect(job).not.toContain("AWS_SECRET_ACCESS_KEY");
  expect(job).toContain('docker push "127.0.0.1:5000/team/app:$TAG"');
});
