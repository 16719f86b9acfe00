/** Commands as they are pasted: a shell and Python read them, and must see the very input of the change. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { awsCli } from "./awsCli";
import { boto3 } from "./boto3";
import { words, type Change, type Json } from "./change";

const ENDPOINT = "https://registry.example.com";

/** Names that a shell, Python or the AWS CLI would act on. */
const HOSTILE = [
  "plain",
  "it's",
  "$(touch pwned)",
  "`touch pwned`",
  '"; touch pwned; "',
  "'; touch pwned; '",
  "a && touch pwned",
  "line\nbreak; touch pwned",
  "\\",
  "\\'",
  '"""',
  "'''",
  "!history",
  "-dash",
  "--password",
  "*",
  "${HOME}",
  "ünïcode ✓",
  "#comment",
  "file:///etc/passwd",
  "https://example.com/",
  "[]",
  "DOCUMENT",
];

/** What the program `aws` gets: a stand-in writes its arguments, one after a NUL. */
function argumentsOf(script: string, environment: Record<string, string> = {}): { argv: string[]; directory: string } {
  const directory = mkdtempSync(join(tmpdir(), "paste-"));
  writeFileSync(join(directory, "run.sh"), `aws() { printf '%s\\0' "$@" > arguments; }\n${script}`);
  execFileSync("sh", ["run.sh"], { cwd: directory, env: { PATH: process.env["PATH"], ...environment } });
  const names = execFileSync("ls", { cwd: directory }).toString();
  expect(names).not.toContain("pwned");
  return { argv: readFileSync(join(directory, "arguments"), "utf8").split("\0").slice(0, -1), directory };
}

/** The input that the CLI would read from its arguments. */
function inputOf(change: Change, environment: Record<string, string> = {}): Record<string, Json> {
  const { argv, directory } = argumentsOf(awsCli([change], ENDPOINT), environment);
  expect(argv.slice(0, 2)).toEqual([change.service, words(change.operation, "-")]);
  const input: Record<string, Json> = {};
  const flags = new Map(Object.keys(change.input).map((name) => [`--${words(name, "-")}`, name]));
  for (let at = 2; at < argv.length; at += 1) {
    const [, flag = "", value] = /^(--[a-z0-9-]+)(?:=([\s\S]*))?$/.exec(argv[at] ?? "") ?? [];
    if (flag === "--endpoint-url") break;
    if (flag === "--cli-input-json") Object.assign(input, JSON.parse(argv[(at += 1)] ?? "") as object);
    else {
      const text = value ?? argv[(at += 1)] ?? "";
      const isFile = text.startsWith("file://");
      input[flags.get(flag) ?? flag] = isFile ? readFileSync(join(directory, text.slice(7)), "utf8") : text;
    }
  }
  return input;
}

test("a shell gives the CLI each hostile name as it is", { timeout: 60_000 }, () => {
  for (const name of HOSTILE) {
    const change: Change = { service: "iam", operation: "CreateUser", input: { UserName: name, Path: `/${name}/` } };
    expect(inputOf(change)).toEqual({ UserName: name, Path: `/${name}/` });
  }
});

test("a value that the CLI would read from a file or an address is given as JSON", () => {
  for (const name of ["file:///etc/passwd", "fileb://x", "https://example.com/", "http://x"]) {
    const change: Change = { service: "iam", operation: "UpdateRole", input: { RoleName: "r", Description: name } };
    expect(awsCli([change], ENDPOINT)).toContain("--cli-input-json");
    expect(inputOf(change)).toEqual({ RoleName: "r", Description: name });
    const listed: Change = { service: "iam", operation: "UntagUser", input: { UserName: "u", TagKeys: [name] } };
    expect(awsCli([listed], ENDPOINT)).toContain("--cli-input-json");
  }
  const oidc: Change = { service: "iam", operation: "CreateOpenIDConnectProvider", input: { Url: "https://example.com" } };
  expect(awsCli([oidc], ENDPOINT)).toContain("--url https://example.com");
});

test("a list with a hostile item is given as JSON", { timeout: 60_000 }, () => {
  for (const name of HOSTILE) {
    const change: Change = { service: "iam", operation: "UntagUser", input: { UserName: "u", TagKeys: [name, "b"] } };
    const keys = inputOf(change)["TagKeys"];
    // Plain words stand one after the other; the reader of this test keeps the first.
    if (typeof keys === "string" && keys.startsWith("[\"")) expect(JSON.parse(keys)).toEqual([name, "b"]);
    else if (Array.isArray(keys)) expect(keys).toEqual([name, "b"]);
    else expect(keys).toBe(name);
  }
});

test("documents keep their content, short and long", { timeout: 60_000 }, () => {
  for (const name of HOSTILE) {
    for (const count of [1, 60]) {
      const document = { Version: "2012-10-17", Statement: Array.from({ length: count }, () => ({ Sid: name })) };
      const change: Change = {
        service: "iam",
        operation: "PutUserPolicy",
        input: { UserName: "u", PolicyName: "p", PolicyDocument: JSON.stringify(document) },
      };
      expect(JSON.parse(inputOf(change)["PolicyDocument"] as string)).toEqual(document);
    }
  }
  const metadata = `<EntityDescriptor>\n${"DOCUMENT\n$(touch pwned)\n".repeat(200)}</EntityDescriptor>`;
  const saml: Change = {
    service: "iam",
    operation: "CreateSAMLProvider",
    input: { Name: "idp", SAMLMetadataDocument: metadata },
  };
  expect(awsCli([saml], ENDPOINT)).toContain("file://saml-metadata-document.xml");
  expect(inputOf(saml)["SAMLMetadataDocument"]).toBe(`${metadata}\n`);
});

test("secrets come from the environment", () => {
  const change: Change = {
    service: "iam",
    operation: "CreateLoginProfile",
    input: { UserName: "u", Password: "hunter2", PasswordResetRequired: true },
  };
  const text = awsCli([change], ENDPOINT);
  expect(text).not.toContain("hunter2");
  expect(argumentsOf(text, { PASSWORD: "from $(touch pwned)" }).argv).toContain("from $(touch pwned)");
  expect(boto3([change], ENDPOINT)).not.toContain("hunter2");
});

test("Python gives boto3 each hostile value as it is", { timeout: 60_000 }, () => {
  const stub = [
    "import sys, json, types",
    "class Client:",
    "    def __getattr__(self, name):",
    "        return lambda **input: print(json.dumps(input))",
    'sys.modules["boto3"] = types.SimpleNamespace(client=lambda *_, **__: Client())',
    "",
  ].join("\n");
  const changes = HOSTILE.map((name): Change => ({
    service: "iam",
    operation: "PutUserPolicy",
    input: {
      UserName: name,
      PolicyName: `${name}"""`,
      PolicyDocument: JSON.stringify({ Statement: [{ Sid: name, Resource: [] }] }),
    },
  }));
  const answer = execFileSync("python3", ["-"], { input: stub + boto3(changes, ENDPOINT) }).toString();
  const inputs = answer.trim().split("\n").map((line) => JSON.parse(line) as Record<string, string>);
  expect(inputs.map(({ UserName, PolicyName }) => [UserName, PolicyName])).toEqual(
    HOSTILE.map((name) => [name, `${name}"""`]),
  );
  expect(inputs.map(({ PolicyDocument = "" }) => JSON.parse(PolicyDocument) as unknown)).toEqual(
    HOSTILE.map((name) => ({ Statement: [{ Sid: name, Resource: [] }] })),
  );
});
