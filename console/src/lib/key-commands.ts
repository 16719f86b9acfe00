/** The commands that keep a new access key on a machine and ask whose it is. None holds the secret: `aws configure` asks for it. */

import { shellWord } from "./commands/awsCli";

export interface KeyOwner {
  userName: string;
  region: string;
  endpoint: string;
}

export function keyCommands({ userName, region, endpoint }: KeyOwner): string {
  const profile = `--profile ${shellWord(userName)}`;
  return [
    `aws configure ${profile}`,
    `aws sts get-caller-identity ${profile} \\\n  --region ${shellWord(region)} --endpoint-url ${shellWord(endpoint)}`,
    "",
  ].join("\n");
}
