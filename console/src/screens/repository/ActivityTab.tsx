import SpaceBetween from "@cloudscape-design/components/space-between";
import { Pulls } from "./Pulls";
import { TagMoves } from "./TagMoves";
import type { TabProps } from "./tabs";

/** What happened in a repository: how its tags moved, and who pulled its images. */
export default function ActivityTab({ name }: TabProps) {
  return (
    <SpaceBetween size="l">
      <TagMoves name={name} />
      <Pulls name={name} />
    </SpaceBetween>
  );
}
