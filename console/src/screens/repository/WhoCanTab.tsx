import { WhoCan } from "../../parts/who-can";
import type { TabProps } from "./tabs";

/** Who may push to the repository, pull from it, and change it. */
export default function WhoCanTab({ repository }: TabProps) {
  return <WhoCan resource={repository.repositoryArn ?? ""} />;
}
