/** The commands that push a first image, with this server's values filled in. */

import { shellWord } from "./commands/awsCli";

export interface PushTarget {
  /** The server's address for AWS clients, such as `https://registry.example.com`. */
  endpoint: string;
  region: string;
  /** The repository's URI without a tag. */
  uri: string;
}

export type Shell = "posix" | "powershell" | "podman" | "ci";

const POWERSHELL_PLAIN = /^[\w:/.-]+$/;
const powershell = (text: string): string =>
  POWERSHELL_PLAIN.test(text) ? text : `'${text.replaceAll("'", "''")}'`;

/** The registry's host of an image's URI. */
export const registryHost = (uri: string): string => uri.slice(0, uri.indexOf("/"));

/** Logs docker in to a registry. */
export const loginCommand = ({ endpoint, region, host }: { endpoint: string; region: string; host: string }): string =>
  `aws ecr get-login-password --region ${shellWord(region)} --endpoint-url ${shellWord(endpoint)} \\\n  | docker login --username AWS --password-stdin ${shellWord(host)}\n`;

export function pushCommands({ endpoint, region, uri }: PushTarget, shell: Shell): string {
  const host = registryHost(uri);
  const name = uri.slice(uri.lastIndexOf("/") + 1);
  const isPlain = endpoint.startsWith("http:");
  if (shell === "powershell") {
    return [
      `aws ecr get-login-password --region ${powershell(region)} --endpoint-url ${powershell(endpoint)} | docker login --username AWS --password-stdin ${powershell(host)}`,
      `docker build -t ${powershell(name)} .`,
      `docker tag ${powershell(`${name}:latest`)} ${powershell(`${uri}:latest`)}`,
      `docker push ${powershell(`${uri}:latest`)}`,
      "",
    ].join("\n");
  }
  const program = shell === "podman" ? "podman" : "docker";
  // docker takes plain HTTP from loopback by itself; podman wants to be told.
  const flag = shell === "podman" && isPlain ? " --tls-verify=false" : "";
  const tag = shell === "ci" ? `${uri}:$TAG` : `${uri}:latest`;
  const word = (text: string) => (shell === "ci" ? `"${text}"` : shellWord(text));
  const login = `aws ecr get-login-password --region ${shellWord(region)} --endpoint-url ${shellWord(endpoint)} \\\n  | ${program} login${flag} --username AWS --password-stdin ${shellWord(host)}`;
  if (shell === "ci") {
    return [
      "# The job's identity: a role that trusts the CI system's tokens.",
      "export AWS_ROLE_ARN=arn:aws:iam::ACCOUNT:role/ROLE",
      "export AWS_WEB_IDENTITY_TOKEN_FILE=/path/to/the/token",
      `export AWS_ENDPOINT_URL=${shellWord(endpoint)}`,
      `TAG=$(git rev-parse --short HEAD)`,
      login,
      `docker build -t ${word(tag)} .`,
      `docker push ${word(tag)}`,
      "",
    ].join("\n");
  }
  return [
    login,
    `${program} build -t ${shellWord(name)} .`,
    `${program} tag ${shellWord(`${name}:latest`)} ${shellWord(tag)}`,
    `${program} push${flag} ${shellWord(tag)}`,
    "",
  ].join("\n");
}
